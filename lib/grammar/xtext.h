/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_XTEXT_H
#define SMTPD_GRAMMAR_XTEXT_H

/*
 * xtext (RFC 3461, 4): the coding of parameter values that may hold any
 * printable character.
 */

#include <stddef.h>

/*
 * Decode xtext that fills LEN bytes at S into BUF of SIZE bytes, and put a
 * NUL behind it.  Return the length, or -1: a bare "+", lower-case hex, a byte
 * that xtext may not hold, a decoded control byte (NUL, CR and LF among
 * them), or no room.
 */
int smtpd__xtext_decode(const char *s, size_t len, char *buf, size_t size);

#endif
