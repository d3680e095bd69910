/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_UTF8_H
#define SMTPD_BASE_UTF8_H

/* Characters in UTF-8 (RFC 3629). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decode the character that LEN bytes at S begin with, and set *POINT to it.
 * Return its length, 1 to 4; or 0 when LEN is 0, or they begin with none: a
 * form that is longer than it must be, a surrogate, a value above U+10FFFF, or
 * a sequence that is cut off (RFC 3629, 3; RFC 3629, 10).
 */
size_t smtpd__utf8_decode(const char *s, size_t len, uint32_t *point);

/* Whether POINT is a control: C0, DEL or C1. */
bool smtpd__utf8_is_control(uint32_t point);

/* Whether all of LEN bytes at S is UTF-8. */
bool smtpd__utf8_is_valid(const char *s, size_t len);

/* Text that comes in blocks of any size; all zero at first. */
struct smtpd_utf8_check {
	bool broken;  /* it is no UTF-8 */
	size_t len;   /* of the beginning of a character */
	char held[4]; /* that is held */
};

/* Look at the next LEN bytes at S. */
void smtpd__utf8_check_feed(
    struct smtpd_utf8_check *c, const char *s, size_t len);

#endif
