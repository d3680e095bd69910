/* SPDX-License-Identifier: MIT */
#ifndef MECHANISMS_H
#define MECHANISMS_H

/*
 * The names of mechanisms to log in by.
 */

#include <stdbool.h>
#include <stddef.h>

/* Whether NAME is one, whatever the case of its letters. */
bool mechanisms_has(const char *name);

/*
 * Check that LIST, divided by commas or blanks, names mechanisms that show a
 * token, or, without HAS_TOKEN, a password; and divide it by blanks.  Return 0,
 * or -1 with what is wrong in WHY of SIZE bytes.
 */
int mechanisms_read(char *list, bool has_token, char *why, size_t size);

#endif
