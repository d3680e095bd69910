/* SPDX-License-Identifier: MIT */
#ifndef USERS_H
#define USERS_H

/*
 * The map from addresses to local users: read as a whole, never changed,
 * replaced by a newer one while sessions still use the older.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <smtpd/address.h>

#include "users_table.h"

/* One map: opaque. */
struct users;

/* Whose mailbox it is.  The texts belong to the map. */
struct owner {
	const char *user;
	const char *domain; /* of the address, in lower case and A-labels */
	uint64_t quota; /* octets, 0: no limit; USERS_QUOTA_OPEN: not said */
};

/* The owners of the mailboxes of an address. */
struct owners {
	const struct users_table *table;
	const struct users_slot *slot;
	size_t count;
};

enum users_result {
	USERS_FOUND,
	USERS_UNKNOWN, /* the domain is ours, but there is no such user */
	USERS_FOREIGN, /* the domain is not ours */
	USERS_RELAY,   /* a local part that other systems would relay by */
};

/*
 * Read the map in file PATH.  Return it, held once, or NULL with an exit
 * status (EX_NOINPUT, EX_CONFIG, EX_OSERR) in *STATUS and the reason in WHY of
 * SIZE bytes: "FILE:LINE: reason".
 */
struct users *users_load(const char *path, int *status, char *why, size_t size);

/* Hold it once more; any thread. */
struct users *users_hold(struct users *users);

/* Release it; the last one frees it.  NULL is fine; any thread. */
void users_release(struct users *users);

/* How many addresses it has. */
size_t users_count(const struct users *users);

/*
 * Look ADDRESS up, without regard to case, to how its characters are composed
 * and whether its domain is in U-labels or A-labels, and set OUT when it is
 * found: as it is, then without "+tag", then the catch-all of its domain.  OUT
 * is valid as long as USERS.
 * <postmaster> is postmaster at HOME, a host, or at the domain that HOME is in,
 * or else at the first domain of the map; and a domain without a postmaster has
 * its first user for one.
 */
enum users_result users_find(const struct users *users,
    const struct smtpd_address *address, const char *home, struct owners *out);

/* Owner I of OWNERS, from 0 on. */
struct owner users_owner(const struct owners *owners, size_t i);

/* How far one has come with the mailboxes; all 0 at first. */
struct users_round {
	size_t slot;
	struct owners owners; /* of the address that is gone through */
	size_t owner;
};

/*
 * Go through the mailboxes.  BY_DOMAIN: a user has one for each domain, and a
 * mailbox may come more than once; otherwise the domain is "".  Return false
 * after the last.
 */
bool users_next(const struct users *users, struct users_round *at,
    bool by_domain, struct owner *out);

/* Go through the domains that have no postmaster, each with the first user of
 * it, who is given that mail; as users_next(). */
bool users_next_orphan(
    const struct users *users, size_t *at, struct owner *out);

/* The map that is valid now, for many threads. */
struct users_current {
	pthread_mutex_t guard;
	struct users *users;
};

/* Begin without any. */
void users_current_init(struct users_current *current);

/* From now on it is USERS, whose hold is taken over; the older lives on while
 * it is held. */
void users_current_set(struct users_current *current, struct users *users);

/* The map that is valid now, held for the caller; there must be one. */
struct users *users_current_get(struct users_current *current);

/* Release the map. */
void users_current_finish(struct users_current *current);

#endif
