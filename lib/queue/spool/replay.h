/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_REPLAY_H
#define SMTPD_QUEUE_SPOOL_REPLAY_H

/* Reading the log at the start: messages come to be, change, and end. */

#include "queue/spool/core.h"

/* A function of smtpd_disk_settings. */
int smtpd__spool_replay(
    void *user, struct smtpd_disk *log, const struct smtpd_disk_record *record);

/* All is read: start the clock, and correct times that cannot be. */
void smtpd__spool_replay_finish(struct smtpd_spool *s);

/* Forget all that was read. */
void smtpd__spool_replay_forget(struct smtpd_spool *s);

#endif
