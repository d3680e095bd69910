/* SPDX-License-Identifier: MIT */
#ifndef USERS_ALIAS_H
#define USERS_ALIAS_H

/*
 * The aliases of a map: kept as its lines are read, and followed to the users
 * that they lead to when all lines are known.
 */

#include "users_table.h"

/* The most mailboxes of one address, and the most aliases on the way there. */
#define USERS_ALIAS_MAX   1000
#define USERS_ALIAS_DEPTH 100

/* A line "address -> target, target". */
struct users_alias {
	uint32_t key; /* of the address */
	unsigned long line;
	size_t target; /* the first one */
	size_t ntargets;
	size_t more; /* the line before for this address, counted from 1 */
	bool open;   /* it is being followed */
};

struct users_aliases {
	struct users_alias *list;
	size_t count, cap;
	uint32_t *targets; /* the keys of addresses and users */
	size_t ntargets, targets_cap;
};

/* What is wrong with the map. */
struct users_mistake {
	unsigned long line;
	const char *what;
	const char *word;
};

/* Free what A holds, which is all 0 at first. */
void users_aliases_finish(struct users_aliases *a);

/* Add LINE, about the address of SLOT, which has no user.  Return 0, or -1
 * without memory. */
int users_aliases_add(
    struct users_aliases *a, struct users_slot *slot, unsigned long line);

/* Add the key TARGET to the last line.  Return 0, or -1 without memory. */
int users_aliases_target(
    struct users_aliases *a, struct users_table *t, const char *target);

/* Follow all of them, and give their slots members.  Return 0, EX_CONFIG with
 * OUT set, or EX_OSERR without memory. */
int users_aliases_follow(
    struct users_aliases *a, struct users_table *t, struct users_mistake *out);

#endif
