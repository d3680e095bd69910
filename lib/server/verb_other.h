/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERB_OTHER_H
#define SMTPD_SERVER_VERB_OTHER_H

/*
 * The verbs that are no part of a message, and those of the program.
 */

#include "server/verb_table.h"

smtpd_verb_fn smtpd__verb_other_rset;
smtpd_verb_fn smtpd__verb_other_quit;
smtpd_verb_fn smtpd__verb_other_help;

/* VRFY and EXPN, which RFC 5321 allows a server to refuse, and others that it
 * wants to be refused. */
smtpd_verb_fn smtpd__verb_other_lookup;
smtpd_verb_fn smtpd__verb_other_refused;

/* NOOP (RFC 5321, 4.1.1.9), and a verb of the program's: ask its handlers. */
smtpd_verb_fn smtpd__verb_other_custom;

#endif
