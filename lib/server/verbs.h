/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERBS_H
#define SMTPD_SERVER_VERBS_H

/*
 * The verbs of RFC 5321 and its extensions, in one table.
 */

#include "server/verb_table.h"

/* Put the library's verbs into T.  Return 0, or -1 without memory. */
int smtpd__verbs_install(struct smtpd_verb_table *t);

#endif
