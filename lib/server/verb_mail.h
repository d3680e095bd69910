/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_MAIL_H
#define SMTPD_SERVER_VERB_MAIL_H

/*
 * The verbs that make an envelope: MAIL and RCPT.
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_mail_mail;
smtpd_verb_fn smtpd__verb_mail_rcpt;

#endif
