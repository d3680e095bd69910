/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_PROGRESS_STEP_H
#define SMTPD_QUEUE_SPOOL_PROGRESS_STEP_H

/* A progress record: built, appended by the caller, and applied to the job. */

#include <sys/uio.h>

#include "queue/spool/core.h"
#include "queue/spool/progress.h"

struct smtpd_progress_step {
	const struct smtpd_progress *progress;
	struct smtpd_record_progress record;
	struct smtpd_pack head;
	struct smtpd_pack results; /* and the history */
	struct iovec body;
	unsigned char *done; /* a bit for each recipient of the job, as they
	                      * will be */
};

/* Build the record of STEP->progress, whose message was entered.  Return 0, or
 * -1 with errno. */
int smtpd__progress_step_encode(
    struct smtpd_spool *s, struct smtpd_progress_step *step);

/* The record to append. */
struct smtpd_journal_record smtpd__progress_step_record(
    const struct smtpd_progress_step *step);

/* The record was appended at REF: change the job.  The mutex is held.  Return
 * whether the message has ended by that. */
bool smtpd__progress_step_apply(struct smtpd_spool *s,
    const struct smtpd_progress_step *step, struct smtpd_record_ref ref);

void smtpd__progress_step_free(struct smtpd_progress_step *step);

#endif
