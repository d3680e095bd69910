/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_STEP_H
#define SMTPD_QUEUE_SPOOL_STEP_H

/* One progress record: built, to be appended, and applied to its job. */

#include "queue/spool/core.h"

struct smtpd_step {
	const struct smtpd_progress *progress;
	struct smtpd_record_progress fields;
	struct smtpd_pack head;
	struct smtpd_pack results; /* and the history */
	struct iovec body;
	struct smtpd_journal_record record; /* to be appended */
	bool *done; /* for each recipient of the job, as they will be */
};

/* Build the record of ST->progress, whose message was entered.  Return 0, or -1
 * with errno. */
int smtpd__step_encode(struct smtpd_spool *s, struct smtpd_step *st);

/* Have room before the append for what will be known after it.  Return 0, or -1
 * without memory. */
int smtpd__step_make_room(struct smtpd_spool *s, const struct smtpd_step *st);

/* The record was appended: change the job.  The mutex is held.  Return whether
 * the message has ended by that. */
bool smtpd__step_apply(struct smtpd_spool *s, const struct smtpd_step *st);

/* Free what ST points to of its own. */
void smtpd__step_free(struct smtpd_step *st);

#endif
