/* SPDX-License-Identifier: MIT */
#ifndef LOOP_H
#define LOOP_H

/*
 * The addresses that a message was delivered to before, by its Delivered-To
 * fields: one that comes to such an address again is in a loop.
 */

#include <stddef.h>

/* The header of a message that is gone through. */
struct loop_scan {
	const char *at;
	const char *end;
};

/* Begin with the LEN bytes at HEADER, which may end in the middle of the
 * message. */
void loop_begin(struct loop_scan *s, const char *header, size_t len);

/* The next of its addresses, *LEN bytes without blanks around; NULL: there are
 * no more. */
const char *loop_next(struct loop_scan *s, size_t *len);

#endif
