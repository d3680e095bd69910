/* SPDX-License-Identifier: MIT */
#include "accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
accounts_init(struct accounts *a)
{
	pthread_rwlock_init(&a->lock, NULL);
}

void
accounts_finish(struct accounts *a)
{
	accounts_file_finish(&a->list);
	pthread_rwlock_destroy(&a->lock);
}

int
accounts_load(struct accounts *a, char *why, size_t size)
{
	struct account_list list = { .count = 0 }, old;
	int status;

	/* Before it is read: a change meanwhile is seen next time. */
	file_stamp_update(&a->stamp, a->path);
	status = accounts_file_read(a->path, a->only_scram, &list, why, size);
	if (status != 0) {
		accounts_file_finish(&list);
		return status;
	}
	pthread_rwlock_wrlock(&a->lock);
	old = a->list;
	a->list = list;
	pthread_rwlock_unlock(&a->lock);
	accounts_file_finish(&old);
	log_line(a->log, SMTPD_LOG_INFO, "read %s: %zu account%s", a->path,
	    list.count, list.count == 1 ? "" : "s");
	return 0;
}

void
accounts_reload(struct accounts *a)
{
	char why[1024];

	if (accounts_load(a, why, sizeof(why)) != 0)
		log_line(a->log, SMTPD_LOG_ERROR,
		    "the old accounts stay in use: %s", why);
}

void
accounts_look(struct accounts *a)
{
	struct file_stamp stamp = a->stamp;

	if (file_stamp_update(&stamp, a->path))
		accounts_reload(a);
}

static const struct account *
find_account(const struct accounts *a, const char *user)
{
	return bsearch(user, a->list.items, a->list.count,
	    sizeof(*a->list.items), accounts_file_compare_user);
}

bool
accounts_find_key(
    struct accounts *a, const char *user, char key[ACCOUNTS_KEY_SIZE])
{
	const struct account *found;

	pthread_rwlock_rdlock(&a->lock);
	found = find_account(a, user);
	snprintf(key, ACCOUNTS_KEY_SIZE, "%s",
	    found != NULL ? found->key : a->list.items[0].key);
	pthread_rwlock_unlock(&a->lock);
	return found != NULL;
}

/* Whether the address with KEY, whose "@" is at AT, is in LIST. */
static bool
has_address(const struct text_list *list, char *key, char *at)
{
	char *tag;

	if (text_list_has(list, key) || text_list_has(list, at))
		return true;
	tag = memchr(key, '+', (size_t)(at - key));
	if (tag == NULL || tag == key)
		return false;
	memmove(tag, at, strlen(at) + 1);
	return text_list_has(list, key);
}

bool
accounts_owns(
    struct accounts *a, const char *user, const struct smtpd_address *address)
{
	char key[ADDRESS_KEY_SIZE];
	size_t domain = address_key(address->local, address->domain, key);
	const struct account *found;
	bool owns;

	if (domain == 0)
		return false;
	pthread_rwlock_rdlock(&a->lock);
	found = find_account(a, user);
	owns = found != NULL &&
	    has_address(&found->addresses, key, key + domain - 1);
	pthread_rwlock_unlock(&a->lock);
	return owns;
}
