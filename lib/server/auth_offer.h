/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_AUTH_OFFER_H
#define SMTPD_SERVER_AUTH_OFFER_H

/*
 * What is offered of AUTH to a client, and when: the reply to EHLO and the
 * command ask the same function.
 */

#include "base/text.h"
#include "server/replies.h"
#include "server/session_state.h"

/* Octets of a line in the exchange, and of the command (RFC 4954, 4). */
#define SMTPD_AUTH_LINE_MAX 12288

/* The longest name of a mechanism (RFC 4422, 3.1). */
#define SMTPD_MECHANISM_MAX 20

/* Whether LIST can be settings.auth_mechanisms. */
bool smtpd__auth_offer_is_valid(const char *list);

/* Whether the server of S has any mechanism. */
bool smtpd__auth_offer_exists(const struct smtpd_session *s);

/* The reply that refuses AUTH by MECHANISM, in upper case (NULL: by any), to
 * S as it is now; or SMTPD_REPLY_NONE. */
enum smtpd_reply_key smtpd__auth_offer_refusal(
    const struct smtpd_session *s, const char *mechanism);

/* Append the line of EHLO to T, if there is anything to offer. */
void smtpd__auth_offer_write(
    const struct smtpd_session *s, struct smtpd_text *t);

/* Whether S must authenticate before it sends mail, and has not. */
bool smtpd__auth_offer_is_missing(const struct smtpd_session *s);

#endif
