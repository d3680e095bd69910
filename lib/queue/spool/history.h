/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_HISTORY_H
#define SMTPD_QUEUE_SPOOL_HISTORY_H

/* What was done about a job so far, read back from its progress records. */

#include <smtpd/queue.h>

#include "queue/spool/progress.h"
#include "queue/spool/record.h"

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

/* A progress record as it was read back; memory is freed by the caller. */
struct smtpd_spool_history_record {
	void *memory;
	uint64_t sequence;
	struct smtpd_record_progress head;
	struct smtpd_unpack results;
	const char *history;
	size_t history_len;
};

/* Read the progress record at REF, which is to be of the job numbered JOB of
 * message ID.  Return 0, or -1 with errno and no memory.
 * For the spool itself. */
int smtpd__spool_history_record(struct smtpd_spool *s, uint64_t id,
    uint32_t job, struct smtpd_record_ref ref,
    struct smtpd_spool_history_record *out);

#endif
