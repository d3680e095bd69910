/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_MESSAGES_H
#define SMTPD_QUEUE_SPOOL_MESSAGES_H

/*
 * Queued messages in memory: changed as records say, ended, and freed.  Where a
 * function needs the spool's mutex, its comment says so.
 */

#include "queue/spool/core.h"

/* Release its destinations, and free it.  The mutex is not held. */
void smtpd__spool_messages_free(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* Get the destination of a job for MAIL, which may be NULL.  False without
 * memory.  The mutex is not held. */
bool smtpd__spool_messages_bind_destination(struct smtpd_spool *s,
    struct smtpd_delivery_job *job, const char *domain, size_t len,
    const struct smtpd_spool_addressees *mail);

/* Change JOB as its progress record P at REF says. */
void smtpd__spool_messages_apply(struct smtpd_delivery_job *job,
    const struct smtpd_record_progress *p, struct smtpd_record_ref ref);

/* The flags of JOB in a record: of enum smtpd_record_job_flag. */
uint8_t smtpd__spool_messages_job_flags(const struct smtpd_delivery_job *job);

/* Take a message that has ended out of the table.  The mutex is held. */
void smtpd__spool_messages_end(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* Release its record and its large content.  The mutex is not held. */
void smtpd__spool_messages_release(
    struct smtpd_spool *s, const struct smtpd_queued_message *e);

#endif
