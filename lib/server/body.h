/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_BODY_H
#define SMTPD_SERVER_BODY_H

/*
 * The message between 354 and its end: decoded, measured against the limits,
 * and read to its end even if nobody wants it.
 */

#include "grammar/dot.h"
#include "grammar/hops.h"
#include "server/session_state.h"

enum smtpd_body_fault {
	SMTPD_BODY_OK,
	SMTPD_BODY_TOO_LARGE,
	SMTPD_BODY_BARE_CR,
	SMTPD_BODY_BARE_LF,
	SMTPD_BODY_NUL,
	SMTPD_BODY_LONG_LINE,
	SMTPD_BODY_LOOP,
};

struct smtpd_body {
	struct smtpd_session *s;
	struct smtpd_dot dot;
	struct smtpd_hops hops;
	enum smtpd_body_fault fault; /* the first that was found */
	enum smtpd_io_status status; /* not OK: the stream ended */
	uint64_t octets;             /* read from the client */
	uint64_t window_end;         /* when the rate is looked at next */
	uint64_t window_octets;      /* octets at the window's begin */
	char small[4];               /* for readers of a few bytes */
	size_t small_at, small_end;
};

/* Begin a message that S reads from now on. */
void smtpd__body_init(struct smtpd_body *b, struct smtpd_session *s);

/*
 * Read and drop what is left.  Return true when the end of the message was
 * found: then b->fault says whether it is a valid one.  Otherwise b->status
 * says why the session is over; SMTPD_IO_FLOOD: far too large.
 */
bool smtpd__body_finish(struct smtpd_body *b);

/* Set the reply that refuses the message because of b->fault. */
void smtpd__body_refuse(struct smtpd_body *b);

#endif
