/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MILTER_CONVERSATION_H
#define SMTPD_MILTER_CONVERSATION_H

/*
 * One session, told to a milter step by step: which steps it wants and answers
 * was agreed on, and what it says is a decision.
 */

#include "milter/changes.h"
#include "milter/decision.h"
#include "milter/macros.h"
#include "milter/milter.h"

struct smtpd_conversation {
	struct smtpd_milter *milter;
	struct smtpd_milter_connection *c; /* NULL: it is not connected */
	struct smtpd_milter_wait wait;
	smtpd_macro_fn *value; /* of macros */
	void *user;            /* for value */
	bool in_message;       /* between MAIL and its end */
	/* The milter let a message pass at its end, and was told nothing
	 * since. */
	bool ended;
	struct smtpd_decision decision; /* the last one */
	int error;                      /* where that is that it failed */
	bool stale; /* and nothing was answered over a connection that was
	             * good before */
};

/* Connect, or go on with a connection that another session left, unless FRESH.
 * The decision is that to go on, or that this failed. */
enum smtpd_decision_kind smtpd__conversation_open(
    struct smtpd_conversation *v, bool fresh);

/* Tell who the client is: FAMILY is '4' or '6', or 'U', without PORT and
 * ADDRESS. */
enum smtpd_decision_kind smtpd__conversation_connect(
    struct smtpd_conversation *v, const char *host, char family, uint16_t port,
    const char *address);

enum smtpd_decision_kind smtpd__conversation_helo(
    struct smtpd_conversation *v, const char *name);

/* MAIL or RCPT with ADDRESS and PARAMS. */
enum smtpd_decision_kind smtpd__conversation_path(struct smtpd_conversation *v,
    enum smtpd_milter_command command, const char *address,
    const struct smtpd_params *params);

enum smtpd_decision_kind smtpd__conversation_data(struct smtpd_conversation *v);

/* VALUE, LEN bytes, is what stands behind the colon, lines divided by LF. */
enum smtpd_decision_kind smtpd__conversation_header(
    struct smtpd_conversation *v, const char *name, const char *value,
    size_t len);

enum smtpd_decision_kind smtpd__conversation_eoh(struct smtpd_conversation *v);

/* At most SMTPD_PACKET_DATA_MAX bytes. */
enum smtpd_decision_kind smtpd__conversation_body(
    struct smtpd_conversation *v, const char *data, size_t len);

/* The message is over.  What is to be changed goes into CHANGES, pieces of a
 * new body to BODY with USER, which returns 0, or -1 with errno. */
enum smtpd_decision_kind smtpd__conversation_end(struct smtpd_conversation *v,
    struct smtpd_changes *changes,
    int (*body)(void *user, const char *data, size_t len), void *user);

/* Forget the message. */
void smtpd__conversation_abort(struct smtpd_conversation *v);

/* The session is over; the connection serves another one, if it can. */
void smtpd__conversation_close(struct smtpd_conversation *v);

#endif
