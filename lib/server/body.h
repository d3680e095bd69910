/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_BODY_H
#define SMTPD_SERVER_BODY_H

/*
 * A message between its command and its end: measured against the limits,
 * judged, and read to its end even if nobody wants it.
 */

#include <smtpd/body.h>

#include "grammar/hops.h"
#include "server/body_input.h"
#include "server/body_source.h"

enum smtpd_body_fault {
	SMTPD_BODY_OK,
	SMTPD_BODY_TOO_LARGE,
	SMTPD_BODY_BARE_CR,
	SMTPD_BODY_BARE_LF,
	SMTPD_BODY_NUL,
	SMTPD_BODY_LONG_LINE,
	SMTPD_BODY_LOOP,
};

/* The beginning of a message that tells whether it is a field. */
#define SMTPD_BODY_AHEAD (SMTPD_FIELD_NAME_MAX + SMTPD_BODY_SOURCE_MIN)

struct smtpd_body {
	struct smtpd_session *s;
	struct smtpd_body_source *source;
	struct smtpd_hops hops;
	enum smtpd_body_fault fault; /* the first that was found */
	bool over;                   /* the source has no more */
	bool unwanted;               /* the program has refused it for all */
	uint64_t octets;             /* of the message, decoded */
	bool begun;                  /* the program has read of it */
	char *ahead;                 /* read, and not yet asked for: in START
	                               * or HEADER, which has ROOM bytes */
	size_t ahead_at, ahead_end, room;
	char start[SMTPD_BODY_AHEAD];
	char *header; /* that the program asked for, or NULL */
	size_t header_len;
	bool has_header; /* and got */
};

/* Begin a message of S that SOURCE gives. */
void smtpd__body_init(struct smtpd_body *b, struct smtpd_session *s,
    struct smtpd_body_source *source);

/* Whether the message begins with a line that is neither a field nor empty, so
 * that fields above it need an empty line behind them: a blank would continue
 * the last of them, anything else, "From " of an mbox too,
 * end or spoil them.  The beginning is read ahead for this. */
bool smtpd__body_is_headless(struct smtpd_body *b);

/*
 * Read and drop what is left, of a message that is REFUSED or not, and free
 * what B holds.  Return true when its end was found, or that of the part to
 * refuse: then b->fault says whether it is valid.  Otherwise the status of the
 * input says why the session is over, or, where that is OK, the client gave the
 * message up.
 */
bool smtpd__body_finish(struct smtpd_body *b, bool refused);

/* Set the reply that refuses the message because of b->fault, if there is
 * one. */
void smtpd__body_refuse(const struct smtpd_body *b);

#endif
