/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_JSON_H
#define SMTPD_QUEUE_CONTROL_JSON_H

/*
 * Messages as JSON for programs, one object in a line.  Each object has id,
 * sender, size, arrived, state, next and reason.
 */

#include "queue/control/output.h"
#include "queue/control/snapshot.h"

/* Write the envelope and the state: also ret, envid and recipients. */
void smtpd__control_json_message(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

/* Write what was tried, with what result, and what is next: also
 * destinations. */
void smtpd__control_json_why(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

#endif
