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

/* Set OUT to the owners that SLOT names. */
static enum users_result
set_owners(const struct users_table *t, const struct users_slot *slot,
    struct owners *out)
{
	out->table = t;
	out->slot = slot;
	out->count = slot->user != 0 ? 1 : slot->nmembers;
	return USERS_FOUND;
}

/* The domain of KEY, or KEY when it is none. */
static const char *
domain_of(const char *key)
{
	const char *at = strrchr(key, '@');

	return at != NULL ? at + 1 : key;
}

struct owner
users_owner(const struct owners *owners, size_t i)
{
	const struct users_table *t = owners->table;
	const struct users_slot *slot = owners->slot;
	const char *domain = domain_of(t->text + slot->key);
	const struct users_user *user = &t->users[slot->user];

	if (slot->user == 0) {
		const struct users_member *m = &t->members[slot->member + i];

		domain = t->text + m->domain;
		user = &t->users[m->user];
	}
	return (struct owner){ t->text + user->name, domain, user->quota };
}

/* The domain for <postmaster> on HOST. */
static const char *
home_domain(const struct users_table *t, const char *host)
{
	char key[ADDRESS_KEY_SIZE];

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
    const struct users_table *t, char *key, size_t domain, struct owners *out)
{
	const struct users_slot *ours = users_table_find(t, key + domain);
	const struct users_slot *slot;
	size_t local = domain - 1;

	if (ours == NULL)
		return USERS_FOREIGN;
	key[local] = '\0';
	if (strpbrk(key, "%!@") != NULL)
		return USERS_RELAY;
	key[local] = '@';
	slot = users_table_find_other(t, key, domain);
	if (slot == NULL && strncmp(key, "postmaster@", domain) == 0)
		slot = ours;
	return slot != NULL ? set_owners(t, slot, out) : USERS_UNKNOWN;
}

enum users_result
users_find(const struct users *users, const struct smtpd_address *address,
    const char *home, struct owners *out)
{
	const struct users_table *t = &users->table;
	const char *domain = address->domain;
	const struct users_slot *slot;
	char key[ADDRESS_KEY_SIZE];
	size_t at;

	if (*domain == '\0')
		domain = home_domain(t, home);
	at = address_key(address->local, domain, key);
	if (at == 0)
		return USERS_UNKNOWN;
	/* An empty local part, "" in quotes, is not the catch-all. */
	slot = at > 1 ? users_table_find(t, key) : NULL;
	if (slot != NULL)
		return set_owners(t, slot, out);
	return find_other(t, key, at, out);
}

bool
users_next(const struct users *users, struct users_round *at, bool by_domain,
    struct owner *out)
{
	const struct users_table *t = &users->table;

	while (at->owner == at->owners.count) {
		const struct users_slot *slot = users_table_next(t, &at->slot);
		const char *key;

		if (slot == NULL)
			return false;
		key = t->text + slot->key;
		if (by_domain != (strchr(key, '@') != NULL) ||
		    (!by_domain && *key != ':'))
			continue;
		set_owners(t, slot, &at->owners);
		at->owner = 0;
	}
	*out = users_owner(&at->owners, at->owner++);
	if (!by_domain)
		out->domain = "";
	return true;
}

/* Whether mail to postmaster at DOMAIN has a user of its own. */
static bool
has_postmaster(const struct users_table *t, const char *domain)
{
	char key[ADDRESS_KEY_SIZE];
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
	struct owners owners;

	while ((slot = users_table_next(t, at)) != NULL) {
		const char *key = t->text + slot->key;

		if (*key == ':' || strchr(key, '@') != NULL ||
		    has_postmaster(t, key))
			continue;
		set_owners(t, slot, &owners);
		*out = users_owner(&owners, 0);
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
