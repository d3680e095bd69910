/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_LOAD_H
#define SMTPD_QUEUE_SPOOL_LOAD_H

/* A message, read back to be sent, shown or relocated. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/model/loaded_message.h"
#include "queue/model/queued_message.h"

struct smtpd_journal_record;
struct smtpd_record_message;
struct smtpd_spool;

/* Read MESSAGE, which is pinned.  Return 0, or -1 with errno: EBADMSG when it
 * is damaged, ENOENT when it has ended. */
int smtpd__spool_load(struct smtpd_spool *s,
    const struct smtpd_queued_message *message,
    struct smtpd_loaded_message *loaded);

/* Read MESSAGE but for its content, which is empty then and may be damaged.
 * Return as smtpd__spool_load(). */
int smtpd__spool_load_envelope(struct smtpd_spool *s,
    const struct smtpd_queued_message *message,
    struct smtpd_loaded_message *loaded);

/*
 * MESSAGE, which is pinned, could not be read for ERROR, an errno: log that,
 * and count it, unless it was for want of memory or descriptors, or of
 * permission.  Return true if it is to be given up: it is damaged, this was so
 * ten times in a row, or it EXPIRED and it was not for want of memory or
 * descriptors.
 */
bool smtpd__spool_load_failed(struct smtpd_spool *s,
    struct smtpd_queued_message *message, int error, bool expired);

/* MESSAGE, which is pinned, could be read, all of it. */
void smtpd__spool_load_worked(
    struct smtpd_spool *s, struct smtpd_queued_message *message);

/* As smtpd__journal_read() of the message record of E, and its head in *M.  For
 * the spool itself. */
void *smtpd__spool_load_record(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_journal_record *record,
    struct smtpd_record_message *m, const void **body);

#endif
