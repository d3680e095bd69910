/* SPDX-License-Identifier: MIT */
#include "base/name_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SIZE_MIN 64

int
smtpd__name_table_init(struct smtpd_name_table *t, uint32_t seed)
{
	*t = (struct smtpd_name_table){ .size = SIZE_MIN, .seed = seed };
	t->buckets = calloc(t->size, sizeof(struct smtpd_named *));
	return t->buckets != NULL ? 0 : -1;
}

void
smtpd__name_table_finish(struct smtpd_name_table *t)
{
	free(t->buckets);
	*t = (struct smtpd_name_table){ 0 };
}

static uint32_t
hash_of(const struct smtpd_name_table *t, const char *name)
{
	return smtpd__hash_spread(smtpd__hash_text(t->seed, name));
}

static struct smtpd_named **
find_bucket(const struct smtpd_name_table *t, uint32_t hash)
{
	return &t->buckets[hash & (t->size - 1)];
}

struct smtpd_named *
smtpd__name_table_find(const struct smtpd_name_table *t, const char *name)
{
	uint32_t hash = hash_of(t, name);
	struct smtpd_named *n = *find_bucket(t, hash);

	while (n != NULL && (n->hash != hash || strcmp(n->name, name) != 0))
		n = n->next;
	return n;
}

static void
link_node(struct smtpd_name_table *t, struct smtpd_named *node)
{
	struct smtpd_named **at = find_bucket(t, node->hash);

	node->next = *at;
	*at = node;
}

/* Without memory it stays as it is, only slower than it could be. */
static void
resize_table(struct smtpd_name_table *t, uint32_t size)
{
	struct smtpd_name_table old = *t;
	struct smtpd_named **buckets =
	    calloc(size, sizeof(struct smtpd_named *));

	if (buckets == NULL)
		return;
	t->buckets = buckets;
	t->size = size;
	for (uint32_t i = 0; i < old.size; i++) {
		struct smtpd_named *n, *next;

		for (n = old.buckets[i]; n != NULL; n = next) {
			next = n->next;
			link_node(t, n);
		}
	}
	free(old.buckets);
}

void
smtpd__name_table_add(struct smtpd_name_table *t, struct smtpd_named *node)
{
	if (t->count >= t->size && t->size <= UINT32_MAX / 4)
		resize_table(t, t->size * 2);
	node->hash = hash_of(t, node->name);
	link_node(t, node);
	t->count++;
}

void
smtpd__name_table_remove(struct smtpd_name_table *t, struct smtpd_named *node)
{
	struct smtpd_named **at = find_bucket(t, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	t->count--;
	if (t->size > SIZE_MIN && t->count < t->size / 8)
		resize_table(t, t->size / 2);
}
