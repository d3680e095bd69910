/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_AUTH_EXCHANGE_H
#define SMTPD_SERVER_AUTH_EXCHANGE_H

/*
 * The exchange of one AUTH command: challenges and answers in base64 (RFC 4954,
 * 4), the same for the library's mechanisms and for those of handlers.
 */

#include "base/base64.h"
#include "grammar/command.h"
#include "sasl/gs2.h"
#include "server/auth_offer.h"

/* Room for any answer, with a NUL behind it. */
#define SMTPD_AUTH_MESSAGE_SIZE (SMTPD_AUTH_LINE_MAX / 4 * 3 + 1)

/* It holds secrets: it is made for a command, and overwritten at its end. */
struct smtpd_auth_exchange {
	char argument[SMTPD_AUTH_LINE_MAX]; /* of the command */
	char mechanism[SMTPD_MECHANISM_MAX + 1];
	const char *initial; /* the initial response in base64, until it is
	                      * read; NULL: there is none */
	char *user;          /* what smtpd_session_set_user() said */
	/* The name that the client gave; "" before it has, and where a handler
	 * knows the mechanism. */
	char claimed[SMTPD_SASL_NAME_SIZE];
	uint64_t last_read_ms; /* when the last answer came that counts */
	bool judging;          /* the program's callback runs */
	bool failed;           /* it is over, with this reply */
	struct smtpd_reply reply;
	char message[SMTPD_AUTH_MESSAGE_SIZE]; /* the last answer */
};

/*
 * Begin the exchange of S for the command in LINE, which has at most
 * SMTPD_AUTH_LINE_MAX octets, of mechanism NAME with INITIAL in the line's
 * argument (NULL: none).  Return it, or NULL without memory.
 */
struct smtpd_auth_exchange *smtpd__auth_exchange_begin(struct smtpd_session *s,
    const struct smtpd_command_line *line, const char *name,
    const char *initial);

/* End it, and forget what it held.  If it failed, its reply is set. */
void smtpd__auth_exchange_end(struct smtpd_session *s);

/*
 * As smtpd_session_challenge() with TEXT, for an answer that is a text: it is
 * in the exchange's message.  Return 0, or -1, and the reply is set.
 */
int smtpd__auth_exchange_ask(struct smtpd_session *s, const char *text);

/* Let the exchange fail with the reply that is set, whatever a handler says
 * afterwards; or with reply KEY.  Return -1. */
int smtpd__auth_exchange_stop(struct smtpd_session *s);
int smtpd__auth_exchange_fail(
    struct smtpd_session *s, enum smtpd_reply_key key);

/* The same, and tell the client why by a challenge with TEXT: whatever it
 * answers, it has failed, and the challenge comes as late as a failure. */
void smtpd__auth_exchange_fail_with_challenge(
    struct smtpd_session *s, enum smtpd_reply_key key, const char *text);

/* Wait until a failure may be told of what the client showed at SHOWN_MS: none
 * comes earlier than others, so the time that it took to judge tells
 * nothing. */
void smtpd__auth_exchange_delay(struct smtpd_session *s, uint64_t shown_ms);

#endif
