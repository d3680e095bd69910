/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_REPLAY_H
#define SMTPD_QUEUE_SPOOL_REPLAY_H

/* Reading the journal at the start: messages come to be, change, and end. */

#include "queue/spool/core.h"

/* A smtpd_journal_replay_fn, for a spool: change the messages as RECORD
 * says. */
int smtpd__spool_replay(void *spool, const struct smtpd_journal_record *record);

/* All is read: start the clock, and correct times that cannot be. */
void smtpd__spool_replay_finish(struct smtpd_spool *s);

/* Forget all that was read. */
void smtpd__spool_replay_forget(struct smtpd_spool *s);

#endif
