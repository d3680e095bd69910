/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_VERBS_H
#define SMTPD_SERVER_VERBS_H

/* The verbs of RFC 5321: one table, one function for each. */

#include "server/settings.h"

/* Put the library's verbs into C's table.  Return 0, or -1 without memory. */
int smtpd__verbs_install(struct smtpd_server_config *c);

/* What a verb of the caller's own does: ask its handler. */
smtpd_verb_fn smtpd__verb_custom;

#endif
