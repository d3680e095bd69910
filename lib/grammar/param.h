/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_PARAM_H
#define SMTPD_GRAMMAR_PARAM_H

/* The parameters of MAIL and RCPT (RFC 5321, 4.1.2), and xtext (RFC 3461, 4). */

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

/*
 * Read LEN bytes at S, parameters with a space before each (all that follows
 * the ">" of the path), into an array in ARENA, names in upper case.  On
 * SMTPD_PARAM_OK, *PARAMS and *COUNT are set; none gives a count of 0.
 */
enum smtpd_param_fault smtpd__param_parse_all(const char *s, size_t len,
    struct smtpd_arena *arena, const struct smtpd_param **params,
    size_t *count);

/* Whether S, NUL-terminated, can be the name of a parameter. */
bool smtpd__param_name_is_valid(const char *s);

/*
 * Read a decimal number of 1 to 20 digits that fills S and fits 64 bits
 * (RFC 1870).  Return 0 or -1.
 */
int smtpd__param_number(const char *s, uint64_t *out);

/*
 * Decode xtext that fills LEN bytes at S into BUF of SIZE bytes, and put a
 * NUL behind it.  Return the length, or -1: a bare "+", lower-case hex, a byte
 * that xtext may not hold, a decoded control byte (NUL, CR and LF among
 * them), or no room.
 */
int smtpd__param_xtext_decode(
    const char *s, size_t len, char *buf, size_t size);

/* Encode LEN bytes at S as xtext into BUF of SIZE bytes with a NUL behind.
 * Return the length, or -1 when there is no room. */
int smtpd__param_xtext_encode(
    const char *s, size_t len, char *buf, size_t size);

#endif
