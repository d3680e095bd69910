/* SPDX-License-Identifier: MIT */
#ifndef DROP_OWNERS_H
#define DROP_OWNERS_H

/*
 * The files that wait in the drop box, by their owners, who are served in turn:
 * one with a million files holds up nobody else.
 */

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

struct drop_owner;

/* All zero: nothing waits. */
struct drop_owners {
	struct drop_owner *list; /* by their uids */
	size_t count, cap;
	size_t turn;  /* whose it is, in the list */
	size_t names; /* that wait, of all */
	bool cut;     /* some were left out: look again later */
};

/* Add the file NAME of UID, unless that owner, or all, have so many that it is
 * left out.  Return 0, or -1 without memory. */
int drop_owners_add(struct drop_owners *o, uid_t uid, const char *name);

/* Take the next name off, which is to be freed; NULL: none is left. */
char *drop_owners_next(struct drop_owners *o);

/* Forget all. */
void drop_owners_clear(struct drop_owners *o);

#endif
