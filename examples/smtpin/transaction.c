/* SPDX-License-Identifier: MIT */
#include "transaction.h"

#include <stdlib.h>
#include <string.h>

struct transaction *
transaction_create(struct users *users)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		users_release(users);
		return NULL;
	}
	t->users = users;
	clock_gettime(CLOCK_MONOTONIC, &t->begun);
	return t;
}

void
transaction_free(void *transaction)
{
	struct transaction *t = transaction;

	users_release(t->users);
	free(t->recipients);
	free(t);
}

int
transaction_keep(struct transaction *t, size_t i, const struct owners *owners)
{
	size_t cap = i < 4 ? 4 : 2 * i;

	if (i >= t->cap) {
		struct recipient *list =
		    realloc(t->recipients, cap * sizeof(*list));

		if (list == NULL)
			return -1;
		t->recipients = list;
		t->cap = cap;
	}
	t->recipients[i] = (struct recipient){ .owners = *owners };
	return 0;
}

size_t
transaction_extra(const struct transaction *t, size_t n)
{
	size_t extra = 0;

	for (size_t i = 0; i < n; i++)
		extra += t->recipients[i].owners.count - 1;
	return extra;
}

struct owner
transaction_owner(
    const struct mailbox_pattern *p, const struct owners *owners, size_t i)
{
	struct owner owner = users_owner(owners, i);

	if (!p->by_domain)
		owner.domain = "";
	return owner;
}

static int
compare_owners(const struct owner *a, const struct owner *b)
{
	int c = strcmp(a->user, b->user);

	return c != 0 ? c : strcmp(a->domain, b->domain);
}

bool
transaction_has(const struct transaction *t, size_t i,
    const struct mailbox_pattern *p, const struct owner *owner)
{
	const struct owners *owners = &t->recipients[i].owners;

	for (size_t k = 0; k < owners->count; k++) {
		const struct owner other = transaction_owner(p, owners, k);

		if (compare_owners(&other, owner) == 0)
			return true;
	}
	return false;
}

/* By mailbox, then by recipient. */
static int
compare_targets(const void *a, const void *b)
{
	const struct target *x = a;
	const struct target *y = b;
	int c = compare_owners(&x->owner, &y->owner);

	if (c != 0)
		return c;
	return (x->rcpt > y->rcpt) - (x->rcpt < y->rcpt);
}

/* By recipient. */
static int
compare_rcpts(const void *a, const void *b)
{
	const struct target *x = a;
	const struct target *y = b;

	if (x->rcpt != y->rcpt)
		return x->rcpt < y->rcpt ? -1 : 1;
	return compare_owners(&x->owner, &y->owner);
}

/* Leave each of the COUNT mailboxes in LIST there once.  Return how many are
 * left. */
static size_t
remove_repeated(struct target *list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof(*list), compare_targets);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 ||
		    compare_owners(&list[kept - 1].owner, &list[i].owner) != 0)
			list[kept++] = list[i];
	qsort(list, kept, sizeof(*list), compare_rcpts);
	return kept;
}

size_t
transaction_targets(const struct transaction *t, size_t n,
    const struct mailbox_pattern *p, struct target **out)
{
	size_t count = 0;

	*out = calloc(n + transaction_extra(t, n), sizeof(**out));
	if (*out == NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct recipient *rcpt = &t->recipients[i];

		if (rcpt->left_out)
			continue;
		for (size_t k = 0; k < rcpt->owners.count; k++)
			(*out)[count++] = (struct target){
				.owner = transaction_owner(p, &rcpt->owners, k),
				.rcpt = i,
			};
	}
	return remove_repeated(*out, count);
}
