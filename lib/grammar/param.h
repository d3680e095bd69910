/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_PARAM_H
#define SMTPD_GRAMMAR_PARAM_H

/*
 * The parameters of MAIL and RCPT (RFC 5321, 4.1.2): NAME, or NAME=VALUE,
 * divided by spaces.
 */

#include <smtpd/session.h>

#include "base/arena.h"

/* Parameters of one command. */
#define SMTPD_PARAMS_MAX 32

enum smtpd_param_fault {
	SMTPD_PARAM_OK,
	SMTPD_PARAM_SYNTAX,
	SMTPD_PARAM_DUPLICATE,
	SMTPD_PARAM_TOO_MANY,
	SMTPD_PARAM_NO_MEMORY,
};

/* The parameters of one command. */
struct smtpd_params {
	size_t count;
	struct smtpd_param list[];
};

/*
 * Read LEN bytes at S, parameters with a space before each (all that follows
 * the ">" of the path), into a list in ARENA, names in upper case.  On
 * SMTPD_PARAM_OK, *OUT is set: NULL when there are none.
 */
enum smtpd_param_fault smtpd__param_parse_all(const char *s, size_t len,
    struct smtpd_arena *arena, const struct smtpd_params **out);

/* Whether S, NUL-terminated, can be the name of a parameter. */
bool smtpd__param_name_is_valid(const char *s);

/* Whether LEN bytes at S can be the value of a parameter:
 * esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii) (RFC 6531, 3.3) */
bool smtpd__param_value_is_valid(const char *s, size_t len);

/* Digits of the longest number. */
#define SMTPD_PARAM_DIGITS_MAX 20

/*
 * Read a decimal number of 1 to SMTPD_PARAM_DIGITS_MAX digits that fills S and
 * fits 64 bits (RFC 1870, 6).  Return 0 or -1.
 */
int smtpd__param_number(const char *s, uint64_t *out);

#endif
