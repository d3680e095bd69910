/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_MIME_CONVERT_H
#define SMTPD_GRAMMAR_MIME_CONVERT_H

/*
 * A message converted as a plan has it (mime_plan.h), while it comes in blocks
 * of any size: bodies of parts get quoted-printable or base64, which give the
 * same octets when they are decoded; multiparts and messages only another label
 * (RFC 2045, 6.4).  Fields with bytes outside ASCII stay as they are.
 *
 * Text without a label gets one; its charset is utf-8 if it is that, and
 * unknown-8bit (RFC 1428) else.  Readers guess as long as there is no label,
 * and no longer when there is one, so it says what they would have guessed.
 *
 * In filler, which nobody shows, bytes outside ASCII become "?", and a long
 * line is broken.
 */

#include "base/sink.h"
#include "grammar/mime_encode.h"
#include "grammar/mime_plan.h"

struct smtpd_mime_convert {
	const struct smtpd_mime_plan *plan;
	smtpd_sink_fn *sink;
	void *user;
	bool failed;    /* the sink has */
	bool dropping;  /* the present field */
	bool line_open; /* the last body has no line end */
	size_t column;  /* in filler */
	struct smtpd_mime_encoder encoder;
	struct smtpd_mime_scan scan;
};

/* Begin a message that PLAN, of SMTPD_MIME_NEED_CONVERSION, was made of, and
 * write it to SINK with USER. */
void smtpd__mime_convert_init(struct smtpd_mime_convert *c,
    const struct smtpd_mime_plan *plan, smtpd_sink_fn *sink, void *user);

/* Convert LEN bytes, whose lines end with CRLF.  Return 0, or -1 once SINK
 * did. */
int smtpd__mime_convert_feed(
    struct smtpd_mime_convert *c, const char *data, size_t len);

/* Write what was kept back.  Return as above. */
int smtpd__mime_convert_end(struct smtpd_mime_convert *c);

#endif
