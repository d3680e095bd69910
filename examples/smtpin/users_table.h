/* SPDX-License-Identifier: MIT */
#ifndef USERS_TABLE_H
#define USERS_TABLE_H

/*
 * The table in memory that a map of users is read into: a hash of texts, with
 * all of their bytes in one piece.
 */

#include <stddef.h>
#include <stdint.h>

/* The key of an address, local@domain, with its NUL. */
#define USERS_KEY_SIZE 1024

/*
 * One key of the table.  Its kind shows in its text:
 *
 *	local@domain	an address
 *	@domain		the catch-all of a domain
 *	domain		a domain of ours, whose user is its first one
 *	:user		a user, so that each name is kept once
 */
struct users_slot {
	uint32_t hash;
	uint32_t key;  /* where its text begins; 0: the slot is free */
	uint32_t user; /* where the user's name begins */
};

struct users_table {
	struct users_slot *slots; /* open addressing */
	size_t nslots;            /* a power of two */
	size_t used;
	size_t addresses; /* how many of the keys are addresses */
	uint32_t home;    /* the first domain's text; 0: none yet */

	char *text; /* all strings, each with its NUL */
	size_t text_len;
	size_t text_size;
};

/* Begin an empty table.  Return 0, or -1 without memory; to be finished in any
 * case. */
int users_table_init(struct users_table *t);

/* Free what T holds. */
void users_table_finish(struct users_table *t);

/* Write the key of LOCAL at DOMAIN to KEY of USERS_KEY_SIZE; return where the
 * domain begins in it, or 0 when it does not fit. */
size_t users_table_key(const char *local, const char *domain, char *key);

/* Find KEY, or add it with USER.  Return its slot, valid until the next call,
 * or NULL without memory. */
struct users_slot *users_table_add(
    struct users_table *t, const char *key, uint32_t user);

/* Find KEY; NULL when it is not there. */
const struct users_slot *users_table_find(
    const struct users_table *t, const char *key);

/* The next slot that is used, from *AT on, which is 0 at first; NULL after the
 * last. */
const struct users_slot *users_table_next(
    const struct users_table *t, size_t *at);

#endif
