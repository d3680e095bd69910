/* SPDX-License-Identifier: MIT */
#include "users.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "users_file.h"
#include "users_table.h"

struct users {
	atomic_uint holds;
	struct users_table table;
};

struct users *
users_load(const char *path, int *status, char *why, size_t size)
{
	struct users *users = calloc(1, sizeof(*users));

	*status = EX_OSERR;
	snprintf(why, size, "no memory");
	if (users == NULL)
		return NULL;
	atomic_init(&users->holds, 1);
	if (users_table_init(&users->table) == 0)
		*status = users_file_read(path, &users->table, why, size);
	if (*status == 0)
		return users;
	users_release(users);
	return NULL;
}

struct users *
users_hold(struct users *users)
{
	atomic_fetch_add_explicit(&users->holds, 1, memory_order_relaxed);
	return users;
}

void
users_release(struct users *users)
{
	if (users == NULL ||
	    atomic_fetch_sub_explicit(&users->holds, 1, memory_order_acq_rel) !=
		1)
		return;
	users_table_finish(&users->table);
	free(users);
}

size_t
users_count(const struct users *users)
{
	return users->table.addresses;
}

/* Set OUT to the owner that SLOT names. */
static enum users_result
set_owner(const struct users_table *t, const struct users_slot *slot,
    struct owner *out)
{
	const char *key = t->text + slot->key;
	const char *at = strrchr(key, '@');

	out->user = t->text + slot->user;
	out->domain = at != NULL ? at + 1 : key;
	return USERS_FOUND;
}

/* The domain for <postmaster> on HOST. */
static const char *
home_domain(const struct users_table *t, const char *host)
{
	char key[USERS_KEY_SIZE];

	if (smtpd_address_domain_key(host, key, sizeof(key)) >= 0) {
		const struct users_slot *slot = users_table_find(t, key);
		const char *dot = strchr(key, '.');

		if (slot == NULL && dot != NULL)
			slot = users_table_find(t, dot + 1);
		if (slot != NULL && t->text[slot->key] != ':')
			return t->text + slot->key;
	}
	return t->text + t->home;
}

/* KEY, whose domain begins at DOMAIN, is not in the map as it is: try what
 * else may take it. */
static enum users_result
find_other(
    const struct users_table *t, char *key, size_t domain, struct owner *out)
{
	const struct users_slot *ours = users_table_find(t, key + domain);
	const struct users_slot *slot;
	size_t local = domain - 1;
	size_t tag = strcspn(key, "+");

	if (ours == NULL)
		return USERS_FOREIGN;
	key[local] = '\0';
	if (strpbrk(key, "%!@") != NULL)
		return USERS_RELAY;
	key[local] = '@';
	if (tag > 0 && tag < local) {
		char base[USERS_KEY_SIZE];

		snprintf(
		    base, sizeof(base), "%.*s%s", (int)tag, key, key + local);
		slot = users_table_find(t, base);
		if (slot != NULL)
			return set_owner(t, slot, out);
	}
	slot = users_table_find(t, key + local);
	if (slot == NULL && strncmp(key, "postmaster@", domain) == 0)
		slot = ours;
	return slot != NULL ? set_owner(t, slot, out) : USERS_UNKNOWN;
}

enum users_result
users_find(const struct users *users, const struct smtpd_address *address,
    const char *home, struct owner *out)
{
	const struct users_table *t = &users->table;
	const char *domain = address->domain;
	const struct users_slot *slot;
	char key[USERS_KEY_SIZE];
	size_t at;

	if (*domain == '\0')
		domain = home_domain(t, home);
	at = users_table_key(address->local, domain, key);
	if (at == 0)
		return USERS_UNKNOWN;
	/* An empty local part, "" in quotes, is not the catch-all. */
	slot = at > 1 ? users_table_find(t, key) : NULL;
	if (slot != NULL)
		return set_owner(t, slot, out);
	return find_other(t, key, at, out);
}

bool
users_next(
    const struct users *users, size_t *at, bool by_domain, struct owner *out)
{
	const struct users_table *t = &users->table;
	const struct users_slot *slot;

	while ((slot = users_table_next(t, at)) != NULL) {
		const char *key = t->text + slot->key;

		if (by_domain != (strchr(key, '@') != NULL) ||
		    (!by_domain && *key != ':'))
			continue;
		set_owner(t, slot, out);
		if (!by_domain)
			out->domain = "";
		return true;
	}
	return false;
}

/* Whether mail to postmaster at DOMAIN has a user of its own. */
static bool
has_postmaster(const struct users_table *t, const char *domain)
{
	char key[USERS_KEY_SIZE];
	int n = snprintf(key, sizeof(key), "postmaster@%s", domain);

	if (n < 0 || (size_t)n >= sizeof(key))
		return false;
	return users_table_find(t, key) != NULL ||
	    users_table_find(t, strchr(key, '@')) != NULL;
}

bool
users_next_orphan(const struct users *users, size_t *at, struct owner *out)
{
	const struct users_table *t = &users->table;
	const struct users_slot *slot;

	while ((slot = users_table_next(t, at)) != NULL) {
		const char *key = t->text + slot->key;

		if (*key == ':' || strchr(key, '@') != NULL ||
		    has_postmaster(t, key))
			continue;
		set_owner(t, slot, out);
		return true;
	}
	return false;
}

void
users_current_init(struct users_current *current)
{
	current->users = NULL;
	pthread_mutex_init(&current->guard, NULL);
}

void
users_current_set(struct users_current *current, struct users *users)
{
	struct users *old;

	pthread_mutex_lock(&current->guard);
	old = current->users;
	current->users = users;
	pthread_mutex_unlock(&current->guard);
	users_release(old);
}

struct users *
users_current_get(struct users_current *current)
{
	struct users *users;

	pthread_mutex_lock(&current->guard);
	users = users_hold(current->users);
	pthread_mutex_unlock(&current->guard);
	return users;
}

void
users_current_finish(struct users_current *current)
{
	users_release(current->users);
	pthread_mutex_destroy(&current->guard);
}
