/* SPDX-License-Identifier: MIT */
#ifndef USERS_TABLE_H
#define USERS_TABLE_H

/*
 * The table in memory that a map of users is read into: a hash of texts, with
 * all of their bytes in one piece.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address_key.h"

/* The quota of a user that has none of its own. */
#define USERS_QUOTA_OPEN UINT64_MAX

/*
 * One key of the table.  Its kind shows in its text:
 *
 *	local@domain	an address
 *	@domain		the catch-all of a domain
 *	domain		a domain of ours, whose user is its first one
 *	:user		a user, so that each name is kept once
 *
 * What an alias leads to, or a domain that has aliases alone, are members.
 */
struct users_slot {
	uint32_t hash;
	uint32_t key;    /* where its text begins; 0: the slot is free */
	uint32_t user;   /* its number; 0: none */
	uint32_t member; /* its first member */
	uint32_t nmembers;
};

/* A user.  Number 0 is nobody. */
struct users_user {
	uint32_t name;      /* where it begins */
	bool reached;       /* an address leads to it */
	unsigned long line; /* the first one that names it */
	uint64_t quota;     /* of each mailbox; USERS_QUOTA_OPEN: not said */
};

/* A user's mailbox, that for DOMAIN where there is one for each. */
struct users_member {
	uint32_t user;
	uint32_t domain; /* where its text begins */
};

struct users_table {
	struct users_slot *slots; /* open addressing */
	size_t nslots;            /* a power of two */
	size_t used;
	size_t addresses; /* how many of the keys are addresses */
	uint32_t home;    /* the first domain's text; 0: none yet */

	struct users_user *users;
	size_t nusers, users_cap;
	struct users_member *members;
	size_t nmembers, members_cap;

	char *text; /* all strings, each with its NUL */
	size_t text_len;
	size_t text_size;
};

/* Begin an empty table.  Return 0, or -1 without memory; to be finished in any
 * case. */
int users_table_init(struct users_table *t);

/* Free what T holds. */
void users_table_finish(struct users_table *t);

/* Make room behind COUNT elements of SIZE bytes in LIST, which has room for
 * *CAP.  Return the list, or NULL without memory. */
void *users_table_grow(void *list, size_t *cap, size_t count, size_t size);

/* Keep a copy of TEXT; return where it begins, or 0 without memory. */
uint32_t users_table_text(struct users_table *t, const char *text);

/* Find KEY, or add it with USER.  Return its slot, valid until the next call,
 * or NULL without memory. */
struct users_slot *users_table_add(
    struct users_table *t, const char *key, uint32_t user);

/* Find the user NAME, or add it, named first in LINE.  Return its number, or 0
 * without memory. */
uint32_t users_table_user(
    struct users_table *t, const char *name, unsigned long line);

/* Add USER, of the domain whose text begins at DOMAIN, to the members.  Return
 * 0, or -1 without memory. */
int users_table_member(struct users_table *t, uint32_t user, uint32_t domain);

/* Find KEY; NULL when it is not there. */
struct users_slot *users_table_find(
    const struct users_table *t, const char *key);

/* Find what takes the mail of KEY, which is not there itself, and whose domain
 * begins at DOMAIN: the address without "+tag", or the catch-all. */
struct users_slot *users_table_find_other(
    const struct users_table *t, const char *key, size_t domain);

/* The next slot that is used, from *AT on, which is 0 at first; NULL after the
 * last. */
const struct users_slot *users_table_next(
    const struct users_table *t, size_t *at);

#endif
