/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_XCLIENT_H
#define SMTPD_SERVER_VERB_XCLIENT_H

/*
 * XCLIENT and XFORWARD, by which trusted clients speak of others (Postfix's
 * XCLIENT_README and XFORWARD_README).
 */

#include "base/text.h"
#include "server/session_state.h"

void smtpd__verb_xclient_xclient(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line);
void smtpd__verb_xclient_xforward(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line);

/* Append their lines to the reply to EHLO in T, if the client may use them. */
void smtpd__verb_xclient_announce(
    const struct smtpd_session *s, struct smtpd_text *t);

#endif
