/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_HISTORY_H
#define SMTPD_QUEUE_CONTROL_HISTORY_H

/*
 * What was done about a job, as JSON: its lines (grammar/history_line.h), and
 * replies.
 */

#include "queue/control/output.h"

/* Write an array with an object for each of the lines of LEN bytes at LINES. */
void smtpd__control_history_json(
    struct smtpd_control_output *a, const char *lines, size_t len);

/* Write the members "code", "status" and "reply", the words alone, of a reply
 * of LEN bytes, which may be NULL; STATUS is that of one that has none. */
void smtpd__control_history_reply(struct smtpd_control_output *a,
    const char *reply, size_t len, const char *status);

#endif
