/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_DKIM_CANON_H
#define SMTPD_GRAMMAR_DKIM_CANON_H

/*
 * The relaxed canonicalization of DKIM (RFC 6376, 3.4.2; RFC 6376, 3.4.4): the
 * bytes of a field and of a body that are hashed, from blocks of any size.
 *
 * CRLF, a bare LF and a bare CR all end a line, as they do when the message is
 * sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sink.h"

/* The sink of a body gets as much at a time, and less at its end. */
#define SMTPD_DKIM_BODY_BLOCK 1024

/* A body: the state between two blocks. */
struct smtpd_dkim_body {
	smtpd_sink_fn *sink;
	void *user;
	uint64_t empty; /* lines that are held back: they may be the last */
	bool space;     /* white space that is held back, likewise */
	bool in_line;   /* the line has something besides white space */
	bool after_cr;  /* a LF that comes next ends no line of its own */
	bool failed;    /* the sink has */
	size_t used;
	char out[SMTPD_DKIM_BODY_BLOCK]; /* what goes to the sink next */
};

/* Begin a body whose canonical form goes to SINK with USER. */
void smtpd__dkim_canon_body_init(
    struct smtpd_dkim_body *b, smtpd_sink_fn *sink, void *user);

/* Take LEN bytes at DATA.  Return 0, or -1 once SINK did. */
int smtpd__dkim_canon_body_feed(
    struct smtpd_dkim_body *b, const char *data, size_t len);

/* The body is over; a last line without an end gets one.  Return as above. */
int smtpd__dkim_canon_body_end(struct smtpd_dkim_body *b);

/* A header field: the state between two blocks. */
struct smtpd_dkim_field {
	smtpd_sink_fn *sink;
	void *user;
	bool named;  /* the colon was there */
	bool space;  /* white space that is held back */
	bool begun;  /* there is something on this side of the colon */
	bool failed; /* the sink has */
};

/* Begin a field that goes to SINK with USER. */
void smtpd__dkim_canon_field_init(
    struct smtpd_dkim_field *f, smtpd_sink_fn *sink, void *user);

/* Take LEN bytes at DATA of "Name: value" with its line ends.  White space that
 * ends the value, and its last line end, are never given to SINK.  Return 0, or
 * -1 once SINK did. */
int smtpd__dkim_canon_field_feed(
    struct smtpd_dkim_field *f, const char *data, size_t len);

#endif
