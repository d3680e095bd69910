/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DOT_H
#define SMTPD_GRAMMAR_DOT_H

/*
 * The end of a message, and the dots in it (RFC 5321, 4.5.2).  Only
 * CRLF . CRLF ends it; a dot is removed only after CRLF (or at the very
 * beginning) and before something else than the end.
 */

#include "grammar/line_scan.h"

/* What was read of a line that may be the end. */
enum smtpd_dot_state {
	SMTPD_DOT_IN_TEXT, /* nothing */
	SMTPD_DOT_AFTER_DOT,
	SMTPD_DOT_AFTER_CR, /* "." CR */
};

/* A decoder: the state between two pieces of input. */
struct smtpd_dot {
	enum smtpd_dot_state state;
	bool done;                    /* the end was read */
	struct smtpd_line_scan lines; /* and what they hold */
};

/* Begin a message whose lines may have MAX_LINE octets. */
void smtpd__dot_init(struct smtpd_dot *d, uint32_t max_line);

/*
 * Take from *IN, *LEN bytes, what fits decoded into OUT of SIZE bytes, SIZE
 * at least 4, and move *IN and *LEN past it.  OUT NULL: decode and drop it
 * all.  The output is as line_scan.h says.
 * Return how many bytes were written.  After d->done nothing more is taken:
 * what is left is the next command.  It makes progress in every call that has
 * input, unless done.
 */
size_t smtpd__dot_decode(
    struct smtpd_dot *d, const char **in, size_t *len, char *out, size_t size);

#endif
