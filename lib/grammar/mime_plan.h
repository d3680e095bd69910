/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_MIME_PLAN_H
#define SMTPD_GRAMMAR_MIME_PLAN_H

/*
 * What is to be done about a message before it goes to a host that takes no
 * 8-bit content (RFC 6152), or because it has lines over 998 octets (RFC 5321,
 * 4.5.3.1.6).  A header precedes the body that it describes, so the message is
 * read once for the plan, and once more by mime_convert.h.
 */

#include "base/utf8.h"
#include "grammar/mime_scan.h"

/* Parts that are counted; a message of more is not converted. */
#define SMTPD_MIME_PARTS_MAX 4000

/* Octets of a line without its CRLF. */
#define SMTPD_MIME_WIDTH_MAX 998

enum smtpd_mime_need {
	SMTPD_MIME_NEED_NOTHING, /* it can go as it is */
	SMTPD_MIME_NEED_CONVERSION,
	SMTPD_MIME_NEED_SIGNED, /* it should be converted, but a signature of
	                         * header and body would break */
	SMTPD_MIME_NEED_FIXED, /* the same, but a part must stay as it is: it is
	                         * signed or encrypted, or there is nothing but
	                         * long lines in it */
	SMTPD_MIME_NEED_BARRED, /* it has bytes outside ASCII that may not stay,
	                         * and a part of another kind must */
};

/* What is done about a part. */
enum smtpd_mime_action {
	SMTPD_MIME_KEEP,
	SMTPD_MIME_RELABEL, /* nothing in it needs 8bit any more */
	SMTPD_MIME_QUOTE,
	SMTPD_MIME_ENCODE,
	SMTPD_MIME_MEND_QUOTED, /* it is quoted-printable, but for some bytes
	                         * and long lines */
	SMTPD_MIME_MEND_BASE64,
	SMTPD_MIME_ACTIONS = 7, /* the bits of them */

	/* Facts beside it. */
	SMTPD_MIME_UTF8 = 1 << 3,       /* its content is UTF-8 */
	SMTPD_MIME_CHANGED = 1 << 4,    /* the body of a part in it is */
	SMTPD_MIME_RAW_HEADER = 1 << 5, /* a header in it has bytes outside
	                                 * ASCII, and stays so */
	SMTPD_MIME_NO_PARTS = 1 << 6,   /* its boundary was not seen yet, and
	                                 * filler needs to be changed */
};

struct smtpd_mime_plan {
	bool eight_bit; /* bytes outside ASCII may stay */
	enum smtpd_mime_need need;
	unsigned char parts[SMTPD_MIME_PARTS_MAX]; /* by their numbers, of
	                                            * enum smtpd_mime_action */
};

/* One that is being made. */
struct smtpd_mime_planner {
	struct smtpd_mime_plan *plan;
	bool needed, is_signed, fixed;
	bool sealed;   /* what is fixed is so for its signature, or key */
	bool has_high; /* bytes outside ASCII that may not stay */

	/* Of the present body or filler: the octets of the line, of all lines,
	 * and those outside ASCII. */
	size_t line;
	uint64_t octets, high;
	bool has_long_line;
	struct smtpd_utf8_check utf8;
	struct smtpd_mime_scan scan;
};

/* Begin PLAN for a message whose bytes outside ASCII may stay, if EIGHT_BIT. */
void smtpd__mime_plan_init(
    struct smtpd_mime_planner *p, struct smtpd_mime_plan *plan, bool eight_bit);

/* Look at LEN bytes of the message; its lines end with CRLF. */
void smtpd__mime_plan_feed(
    struct smtpd_mime_planner *p, const char *data, size_t len);

/* The message is over: fill in the need. */
void smtpd__mime_plan_end(struct smtpd_mime_planner *p);

#endif
