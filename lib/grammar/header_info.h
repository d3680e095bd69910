/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HEADER_INFO_H
#define SMTPD_GRAMMAR_HEADER_INFO_H

/* What a message says of itself, as far as those who pass it on must know. */

#include <stdbool.h>
#include <stddef.h>

#include "base/utf8.h"
#include "grammar/fields.h"

/* Octets of a Message-ID that is remembered, with its brackets. */
#define SMTPD_MESSAGE_ID_MAX 500

/* Octets of a Subject that are remembered. */
#define SMTPD_SUBJECT_MAX 200

struct smtpd_header_info {
	bool date;       /* there is a Date: field */
	bool message_id; /* there is a Message-ID: field */
	bool automatic;  /* it is from a program or a list: Auto-Submitted (RFC
	                  * 3834) but for "no", Precedence bulk, list or junk,
	                  * any List- field (RFC 2369, RFC 2919) */
	unsigned tls_required;        /* TLS-Required: fields (RFC 8689, 3), */
	bool tls_not_required;        /* of which one says "No" */
	bool eight_bit_header;        /* the header holds bytes outside ASCII */
	struct smtpd_utf8_check utf8; /* whether it is UTF-8 nevertheless */
	bool eight_bit;               /* the message does */
	bool long_lines; /* a line of the body may be longer than RFC 5321,
	                  * 4.5.3.1.6 has it */
	size_t line;     /* octets of its present line */
	char id[SMTPD_MESSAGE_ID_MAX + 1];   /* the first Message-ID, "<...>" of
	                                    * printable ASCII; "" if there is
	                                    * none, or no such one */
	char subject[SMTPD_SUBJECT_MAX + 1]; /* the first Subject and Date, */
	char date_text[64];                  /* unfolded, as far as they fit */

	/* The field that is being read. */
	int field;
	size_t len;
	char value[SMTPD_MESSAGE_ID_MAX + 1];
};

/* Begin a message. */
void smtpd__header_info_init(struct smtpd_header_info *f);

/* Look at the next piece of it, as smtpd__fields_next() divides it; where the
 * body is left out nothing is known of that. */
void smtpd__header_info_add(
    struct smtpd_header_info *f, const struct smtpd_piece *p);

/* The message is over: the last field counts as well. */
void smtpd__header_info_end(struct smtpd_header_info *f);

#endif
