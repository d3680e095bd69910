/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_READ_H
#define SMTPD_QUEUE_SPOOL_READ_H

/* Records of messages, read back from the log. */

#include "queue/spool/core.h"

/* The ref of E now.  False when it has ended. */
bool smtpd__spool_read_ref(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_record_ref *ref);

/* As smtpd__journal_read() of the message record of E, and its head in *M. */
void *smtpd__spool_read_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_journal_record *record,
    struct smtpd_record_message *m, const void **body);

/* A progress record as it was read back; memory is freed by the caller. */
struct smtpd_spool_read_progress {
	void *memory;
	uint64_t sequence;
	struct smtpd_record_progress head;
	struct smtpd_unpack results;
	const char *history;
	size_t history_len;
};

/* Read the progress record at REF, which is to be of the job numbered JOB of
 * message ID.  Return 0, or -1 with errno and no memory. */
int smtpd__spool_read_progress(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_record_ref ref, struct smtpd_spool_read_progress *out);

#endif
