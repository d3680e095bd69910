/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_MAIL_H
#define SMTPD_SERVER_VERB_MAIL_H

/*
 * The verbs that make an envelope: MAIL and RCPT.
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_mail_mail;
smtpd_verb_fn smtpd__verb_mail_rcpt;

/* Let the sender of the open transaction be that of LINE, an argument of MAIL
 * without parameters.  Return whether it is one. */
bool smtpd__verb_mail_set_sender(
    struct smtpd_session *s, const struct smtpd_command_line *line);

#endif
