/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_MIME_ENCODE_H
#define SMTPD_GRAMMAR_MIME_ENCODE_H

/*
 * The body of one part in quoted-printable (RFC 2045, 6.7) or base64 (RFC 2045,
 * 6.8), while it comes in blocks of any size: encoded anew; or mended, where it
 * has the label of an encoding already and holds what that does not have: bytes
 * outside ASCII, long lines.
 */

#include "base/sink.h"
#include "grammar/mime_plan.h"
#include "grammar/quoted_printable.h"

struct smtpd_mime_encoder {
	smtpd_sink_fn *sink;
	void *user;
	enum smtpd_mime_action action;
	bool failed;

	size_t column;
	size_t held_len; /* of what is not written yet: a group of base64, a
	                  * "=" and what may belong to it */
	char held[3];
	size_t len; /* of out */
	char out[1024];
	struct smtpd_quoted_printable quoted;
};

/* Begin a body that ACTION is done about, any but RELABEL: to KEEP is to write
 * it as it is. */
void smtpd__mime_encode_init(struct smtpd_mime_encoder *e,
    enum smtpd_mime_action action, smtpd_sink_fn *sink, void *user);

/* Write LEN bytes at DATA.  Return 0, or -1 once SINK did. */
int smtpd__mime_encode_feed(
    struct smtpd_mime_encoder *e, const char *data, size_t len);

/* The body is over.  *OPEN: its last line has no end.  Return as above. */
int smtpd__mime_encode_end(struct smtpd_mime_encoder *e, bool *open);

#endif
