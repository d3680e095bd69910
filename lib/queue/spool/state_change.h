/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_STATE_CHANGE_H
#define SMTPD_QUEUE_SPOOL_STATE_CHANGE_H

/* What an operator does to a message: hold, release, remove. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/model/queued_message.h"
#include "queue/spool/record.h"

struct smtpd_spool;

/* Hold a message or release it.  Return 0, or -1 with errno. */
int smtpd__state_change_hold(
    struct smtpd_spool *s, struct smtpd_queued_message *message, bool hold);

/*
 * End a message that somebody has pinned, whatever is unfinished: REMOVED is
 * set at once, and no further progress of it is recorded.  Return 0, or -1
 * with errno.
 */
int smtpd__state_change_remove(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/* The two steps of that, for a removal with another name: enter MESSAGE alone
 * and mark it (false when it has ended), then record CHANGE and leave. */
bool smtpd__state_change_begin_end(
    struct smtpd_spool *s, struct smtpd_queued_message *message);
int smtpd__state_change_end(struct smtpd_spool *s,
    struct smtpd_queued_message *message, enum smtpd_record_change change);

/* Leave it instead, with nothing changed. */
void smtpd__state_change_cancel(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

#endif
