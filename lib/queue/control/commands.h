/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_COMMANDS_H
#define SMTPD_QUEUE_CONTROL_COMMANDS_H

/*
 * The table of verbs, and carrying out a request by it.
 */

#include "queue/control/call.h"
#include "queue/control/control.h"
#include "queue/spool/spool.h"

/*
 * Carry out CALL on S; HOOKS is NULL where nothing is delivered.  Return 0, or
 * an errno with the reason in call->end.  The verbs are those of
 * smtpd_queue_ask(), but for export, and
 *
 *	ids		the id of each message, one a line
 */
int smtpd__control_commands_run(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks,
    const struct smtpd_control_call *call);

/* Return true if COUNT WORDS change something. */
bool smtpd__control_commands_changes(const char *const *words, size_t count);

#endif
