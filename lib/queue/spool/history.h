/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_HISTORY_H
#define SMTPD_QUEUE_SPOOL_HISTORY_H

/* What was done about a job so far, read back from its progress records. */

#include <smtpd/queue.h>

#include "queue/spool/progress.h"

/* Write all histories of JOB, oldest first, to WRITE; the oldest part may have
 * been left out.  The message is pinned.  Return 0, or -1 with errno. */
int smtpd__spool_history(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, smtpd_write_fn *write, void *user);

/* What came of the recipients of JOB in its last attempt: an array of *COUNT
 * that the caller frees, NULL and 0 when there was none.  Return 0, or -1
 * with errno. */
int smtpd__spool_history_results(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, struct smtpd_rcpt_progress **results,
    size_t *count);

#endif
