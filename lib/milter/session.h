/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_SESSION_H
#define SMTPD_MILTER_SESSION_H

/*
 * What one milter knows of one session: who it was told that the client is, and
 * how far it is with a message.
 */

#include "base/pack.h"
#include "base/sizes.h"
#include "grammar/fields.h"
#include "milter/conversation.h"
#include "milter/values.h"

/* How a milter stands to the present message. */
enum smtpd_milter_state {
	SMTPD_MILTER_PASSED,  /* it wants to hear no more of it */
	SMTPD_MILTER_ASKED,   /* it is told each step */
	SMTPD_MILTER_DROPPED, /* it wants it to be discarded */
	SMTPD_MILTER_BROKEN,  /* it failed */
};

/* The message while it comes. */
struct smtpd_milter_message {
	struct smtpd_fields fields;
	char name[SMTPD_FIELD_NAME_MAX]; /* of the field that has begun; "" */
	struct smtpd_pack value;         /* of it, with line ends */
	struct smtpd_pack chunk;         /* of the body, not yet told */
	bool header_over;
	bool body_skipped;
};

struct smtpd_milter_session {
	struct smtpd_milter *milter;
	struct smtpd_session *session;
	struct smtpd_conversation talk;
	struct smtpd_values values;
	char helo[SMTPD_HOSTNAME_SIZE]; /* that it was told */
	bool tls;                       /* and was there TLS */
	bool content;                   /* it accepted the client for good */
	struct smtpd_decision refusal;  /* of the client, or its HELO; if its
	                                 * kind says that there is one */
	enum smtpd_milter_state state;
	struct smtpd_milter_message message;
};

/* What the milter M knows of S, made when it is not there yet; NULL without
 * memory. */
struct smtpd_milter_session *smtpd__milter_session_get(
    struct smtpd_session *s, struct smtpd_milter *m);

/* Do what the decision KIND says: return 0, or the code of the reply that is
 * set. */
int smtpd__milter_session_act(
    struct smtpd_milter_session *ms, enum smtpd_decision_kind kind);

/* Set the reply for a message that could not be judged.  Return as above. */
int smtpd__milter_session_fail(struct smtpd_milter_session *ms);

/* Tell who the client is, where that is not known, and whose the message of the
 * open transaction is. */
enum smtpd_decision_kind smtpd__milter_session_begin(
    struct smtpd_milter_session *ms);

/* Forget the message. */
void smtpd__milter_session_reset(struct smtpd_milter_session *ms);

#endif
