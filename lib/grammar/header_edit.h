/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HEADER_EDIT_H
#define SMTPD_GRAMMAR_HEADER_EDIT_H

/*
 * The header of a message from a local program, made fit to be sent (RFC 6409,
 * 8.2; RFC 6409, 8.3): it passes through in blocks of any size, lines ended by
 * CRLF.
 *
 * The line "From " or ">From " of a mailbox that a message may begin with, and
 * a byte order mark, are left out: they would end the header before it begins.
 * Return-Path: fields are left out, and Bcc: and Resent-Bcc: where that is
 * asked for.  Date: and Message-ID: are added below the others if they are
 * missing.  Addresses without a domain get one where that is asked for.  Where
 * the body begins without an empty line, one is put before it.
 */

#include <stdint.h>

#include "base/sink.h"
#include "grammar/address_field.h"
#include "grammar/header_info.h"

/* What is wanted; the texts must last as long as the edit. */
struct smtpd_header_wants {
	bool drop_bcc;
	const char *date;       /* as smtpd__date_write() writes it; NULL: none
	                         * is added */
	const char *message_id; /* "<...>", likewise */
	struct smtpd_address_domains domains; /* domain NULL: addresses stay */
};

struct smtpd_header_edit {
	struct smtpd_header_wants wants;
	smtpd_sink_fn *sink;
	void *user;
	struct smtpd_fields fields;
	struct smtpd_header_info info; /* of what came in; whole only after
	                                  * the end */
	uint64_t header_len; /* octets of the header that went out, with its
	                      * empty line */
	char start[10];      /* of the message, until it is known what it is */
	size_t start_len;
	enum {
		SMTPD_EDIT_START,
		SMTPD_EDIT_MAILBOX_LINE, /* which is dropped */
		SMTPD_EDIT_MESSAGE,
	} stage;
	enum smtpd_address_field_kind kind; /* of the present field, while it is
	                                     * edited */
	struct smtpd_address_field addresses;
	bool dropping;  /* the present field */
	bool line_open; /* the line that went out last has no end yet */
	bool over;      /* the header is */
	bool failed;    /* the sink has */
};

/* Begin a message that goes to SINK with USER. */
void smtpd__header_edit_init(struct smtpd_header_edit *e,
    const struct smtpd_header_wants *wants, smtpd_sink_fn *sink, void *user);

/* Pass on LEN bytes at DATA.  Return 0, or -1 once SINK did. */
int smtpd__header_edit_feed(
    struct smtpd_header_edit *e, const char *data, size_t len);

/* The message is over: pass on what was kept back, and what a header without
 * a body lacks.  Return as above. */
int smtpd__header_edit_end(struct smtpd_header_edit *e);

#endif
