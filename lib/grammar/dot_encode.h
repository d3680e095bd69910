/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DOT_ENCODE_H
#define SMTPD_GRAMMAR_DOT_ENCODE_H

/*
 * A message as it goes over the wire after DATA (RFC 5321, 4.5.2) or in BDAT:
 * line ends made CRLF, dots doubled, the end marked.
 */

#include <stdbool.h>
#include <stddef.h>

/* An encoder: the state between two pieces of input, zero at first. */
struct smtpd_dot_encoder {
	int state;
	bool no_dots; /* for BDAT: no dot is doubled, and none is the end */
};

/* Smallest output buffer the encoder accepts; largest size of the final dot
 * line. */
#define SMTPD_DOT_ROOM_MIN 3
#define SMTPD_DOT_END_MAX  5

/*
 * Take from *IN, *LEN bytes, what fits into OUT of SIZE bytes as it goes over
 * the wire, SIZE at least SMTPD_DOT_ROOM_MIN, and move *IN and *LEN past it.
 * CRLF, a bare LF and a bare CR all become CRLF; a dot at the beginning of a
 * line is doubled, unless no_dots.  Return how many bytes were written.
 */
size_t smtpd__dot_encode(struct smtpd_dot_encoder *e, const char **in,
    size_t *len, char *out, size_t size);

/* Write the end of the message to OUT, with a CRLF before it if the last line
 * has none: at most SMTPD_DOT_END_MAX bytes.  Return their number. */
size_t smtpd__dot_encode_end(struct smtpd_dot_encoder *e, char *out);

#endif
