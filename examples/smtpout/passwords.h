/* SPDX-License-Identifier: MIT */
#ifndef PASSWORDS_H
#define PASSWORDS_H

/*
 * The password file.  A line "USER@HOST PASSWORD" is for that user at that
 * host; a first line of another form is the password of all others.
 */

#include <stddef.h>

/* All zero: none. */
struct passwords {
	char *text; /* its lines, each ended by a NUL */
	size_t size;
};

/* Read FILE, once more if OUT was read, which stays as it is when that fails.
 * Return 0, or -1 with errno: EINVAL when the first line is empty. */
int passwords_read(const char *file, struct passwords *out);

/* The password of USER at HOST, which lives as long as P; NULL: there is
 * none. */
const char *passwords_find(
    const struct passwords *p, const char *user, const char *host);

/* Overwrite and free what P holds. */
void passwords_finish(struct passwords *p);

#endif
