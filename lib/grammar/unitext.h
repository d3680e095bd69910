/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_UNITEXT_H
#define SMTPD_GRAMMAR_UNITEXT_H

/*
 * The codings of addresses of the type "utf-8" (RFC 6533, 3): unitext, which is
 * UTF-8 without blanks, "+", "=" and "\", and xtext, which is ASCII besides.
 * Other characters are written as \x{HEX}.
 */

#include "base/text.h"

/*
 * Decode LEN bytes at S, unitext or xtext, to UTF-8 in BUF of SIZE bytes, and
 * put a NUL behind it.  Return the length, or -1: a character that neither may
 * hold, a \x{HEX} that is none, a control, or no room.
 */
int smtpd__unitext_decode(const char *s, size_t len, char *buf, size_t size);

/* Append UTF-8 text S to T as xtext. */
void smtpd__unitext_encode(struct smtpd_text *t, const char *s);

#endif
