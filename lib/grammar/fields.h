/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_FIELDS_H
#define SMTPD_GRAMMAR_FIELDS_H

/*
 * A message divided into the fields of its header and its body (RFC 5322, 2.1;
 * RFC 5322, 2.2), while it comes in blocks of any size.  Lines end with CRLF or
 * LF.  The first line that neither is a field nor continues one ends the
 * header.
 */

#include <stdbool.h>
#include <stddef.h>

/* Octets of a field's name, with white space and the colon behind it; a line
 * with a longer one is taken for the body's first. */
#define SMTPD_FIELD_NAME_MAX 256

/* What a piece of the message is. */
enum smtpd_fields_part {
	SMTPD_FIELDS_NONE,  /* none: all input was taken */
	SMTPD_FIELDS_NAME,  /* a field begins: its name, with the colon */
	SMTPD_FIELDS_VALUE, /* what follows, with line ends; no more than the
	                     * rest of a line at a time */
	SMTPD_FIELDS_END,   /* the header is over: the empty line, or nothing
	                     * when the body begins without one */
	SMTPD_FIELDS_BODY,
};

struct smtpd_piece {
	enum smtpd_fields_part part;
	const char *data; /* in the input or in the scanner, until its next
	                   * call */
	size_t len;
};

/* A scanner: the state between two blocks. */
struct smtpd_fields {
	int state;
	bool closed;    /* no more input comes */
	bool continued; /* the line may continue a field */
	size_t held;    /* bytes of the line's beginning, in name */
	char name[SMTPD_FIELD_NAME_MAX];
};

/* Begin a message. */
void smtpd__fields_init(struct smtpd_fields *f);

/*
 * Take the next piece from *IN, *LEN bytes, and move them past it.  The pieces
 * together are the message.  Return its part: SMTPD_FIELDS_NONE when all input
 * was taken, which may be in the middle of a name.
 */
enum smtpd_fields_part smtpd__fields_next(struct smtpd_fields *f,
    const char **in, size_t *len, struct smtpd_piece *out);

/* The message is over: what was kept back comes from smtpd__fields_next() with
 * no more input. */
void smtpd__fields_close(struct smtpd_fields *f);

/* Whether the piece P begins a field called NAME, in any case of letters. */
bool smtpd__fields_is_named(const struct smtpd_piece *p, const char *name);

/* The length of the name in the piece P, a SMTPD_FIELDS_NAME: without the
 * colon and white space before it. */
size_t smtpd__fields_name_len(const struct smtpd_piece *p);

#endif
