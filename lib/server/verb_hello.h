/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_HELLO_H
#define SMTPD_SERVER_VERB_HELLO_H

/*
 * The verbs that begin a session: EHLO, HELO and STARTTLS.
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_hello_ehlo;
smtpd_verb_fn smtpd__verb_hello_helo;
smtpd_verb_fn smtpd__verb_hello_starttls;

#endif
