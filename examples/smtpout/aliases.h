/* SPDX-License-Identifier: MIT */
#ifndef ALIASES_H
#define ALIASES_H

/*
 * The aliases of local names, from a file in the form of aliases(5):
 *
 *	# a comment
 *	root: ann@example.org
 *	staff: ann@example.org, bob,
 *		:include:/etc/smtpout/staff
 *	bob: \bob, bob@elsewhere.example
 *	*: root
 */

#include <stddef.h>

#include "text_list.h"

/* The most addresses that one alias leads to, and the most aliases on the way
 * to one. */
#define ALIASES_TARGETS_MAX 10000
#define ALIASES_DEPTH_MAX   100

struct aliases;

/* Told WHY, with file and line, something of an alias is left out. */
typedef void aliases_skip_fn(void *user, const char *why);

/*
 * Read the file PATH.  Return the aliases, followed to their ends, or NULL
 * with *STATUS, an exit status, and the reason, with file and line, in WHY of
 * SIZE bytes.  NAMES are the domains whose addresses are local names, ended by
 * NULL; they must last as long.  A mistake in the file is a reason, unless SKIP
 * is not NULL: then it costs what is wrong only, an address or an alias, and
 * SKIP is told with USER.
 */
struct aliases *aliases_read(const char *path, const char *const *names,
    aliases_skip_fn *skip, void *user, int *status, char *why, size_t size);

/* NULL is fine. */
void aliases_destroy(struct aliases *a);

/* Find those that get the mail for the local name KEY, in lower case: addresses
 * with a domain, and local names without one.  NULL: there is no such alias,
 * or nothing of it is left. */
const struct text_list *aliases_find(const struct aliases *a, const char *key);

size_t aliases_count(const struct aliases *a);

#endif
