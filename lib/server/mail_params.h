/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_MAIL_PARAMS_H
#define SMTPD_SERVER_MAIL_PARAMS_H

/*
 * The parameters of MAIL and RCPT that a server takes: those of the extensions
 * that it announces, and the program's own.
 */

#include "base/text.h"
#include "server/session_state.h"

/* Take each parameter of MAIL, or of RCPT, in C into the envelope.  Whether all
 * are good, and the transaction allows the characters of C; else it is
 * refused. */
bool smtpd__mail_params_accept(
    struct smtpd_session *s, const struct smtpd_command *c);
bool smtpd__mail_params_accept_rcpt(
    struct smtpd_session *s, const struct smtpd_command *c);

/* Append the lines of EHLO to T of those extensions that are nothing but
 * parameters, and that the settings ask for. */
void smtpd__mail_params_announce(
    const struct smtpd_session *s, struct smtpd_text *t);

#endif
