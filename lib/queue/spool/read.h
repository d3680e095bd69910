/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_READ_H
#define SMTPD_QUEUE_SPOOL_READ_H

/* Records of messages, read back from the log. */

#include "queue/spool/core.h"

/* The place of E now.  False when it has ended. */
bool smtpd__spool_read_place(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_place *place);

/* As smtpd__disk_read() of the message record of E, and its head in *M. */
void *smtpd__spool_read_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_record *record,
    struct smtpd_record_message *m, const void **body);

/* The progress record of the job numbered JOB of message ID at PLACE; the
 * caller frees it.  NULL with errno. */
void *smtpd__spool_read_progress(struct smtpd_spool *s, uint64_t id,
    uint32_t job, struct smtpd_disk_place place,
    struct smtpd_record_progress *p, struct smtpd_unpack *results,
    struct smtpd_unpack *history);

#endif
