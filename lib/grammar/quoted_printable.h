/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_QUOTED_PRINTABLE_H
#define SMTPD_GRAMMAR_QUOTED_PRINTABLE_H

/* Text in the coding quoted-printable (RFC 2045, 6.7), while it comes in blocks
 * of any size.  No line begins with "-", as boundaries do. */

#include <stdbool.h>
#include <stddef.h>

#include "base/sink.h"

struct smtpd_quoted_printable {
	smtpd_sink_fn *sink;
	void *user;
	bool failed;   /* the sink has */
	char held;     /* a blank or CR that may end a line; 0: none */
	size_t column; /* of the line so far */
	size_t len;    /* of out */
	char out[1024];
};

/* Begin to write to SINK with USER. */
void smtpd__quoted_printable_init(
    struct smtpd_quoted_printable *q, smtpd_sink_fn *sink, void *user);

/* Write LEN bytes at DATA; CRLF ends a line.  Return 0, or -1 once SINK did. */
int smtpd__quoted_printable_feed(
    struct smtpd_quoted_printable *q, const char *data, size_t len);

/* Write what was kept back.  Return as above. */
int smtpd__quoted_printable_end(struct smtpd_quoted_printable *q);

/* Write what stands for the byte C to OUT: "=" and its two digits. */
void smtpd__quoted_printable_escape(char c, char out[3]);

#endif
