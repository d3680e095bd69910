/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_PENDING_COMMIT_H
#define SMTPD_QUEUE_SPOOL_PENDING_COMMIT_H

/*
 * A record that ends a message, but may not be on stable storage yet: a crash
 * may forget it, and have the message tried once more.
 */

#include "queue/spool/progress.h"

struct smtpd_pending_commit;

/*
 * As smtpd__spool_progress() for a P that finishes all that is left of a job,
 * and has no report, but without waiting for the disk: wait for *COMMIT soon;
 * it is NULL when there is nothing to wait for.  Return 0, or -1 with errno,
 * and nothing is changed.
 */
int smtpd__pending_commit_begin(struct smtpd_spool *s,
    const struct smtpd_progress *p, struct smtpd_pending_commit **commit);

/* Wait until COMMIT is on stable storage, and free it.  Or return -1 with
 * errno: it is not, and may be waited for again. */
int smtpd__pending_commit_wait(struct smtpd_pending_commit *commit);

/* Free one that could not be brought to stable storage, as
 * smtpd__pending_commit_wait() said: a store may still use one that nobody
 * waited for. */
void smtpd__pending_commit_abandon(struct smtpd_pending_commit *commit);

#endif
