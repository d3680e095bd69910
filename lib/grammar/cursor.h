/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_CURSOR_H
#define SMTPD_GRAMMAR_CURSOR_H

/* Text that is parsed from its front. */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* What is left to read. */
struct smtpd_cursor {
	const char *at;
	const char *end;
};

/* The next byte, or -1 at the end. */
static inline int
smtpd_cursor_peek(const struct smtpd_cursor *c)
{
	return c->at < c->end ? (unsigned char)*c->at : -1;
}

static inline bool
smtpd_cursor_take(struct smtpd_cursor *c, char want)
{
	if (smtpd_cursor_peek(c) != want)
		return false;
	c->at++;
	return true;
}

/* Take WANT in any case of letters. */
static inline bool
smtpd_cursor_take_word(struct smtpd_cursor *c, const char *want)
{
	size_t len = strlen(want);

	if ((size_t)(c->end - c->at) < len ||
	    !smtpd__text_same_bytes(c->at, want, len))
		return false;
	c->at += len;
	return true;
}

#endif
