/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_QUARANTINE_H
#define SMTPD_QUEUE_SPOOL_QUARANTINE_H

/* What is set aside: damaged parts of the log, messages that cannot be read,
 * and reports that nobody takes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/model/loaded_message.h"
#include "queue/model/queued_message.h"

struct smtpd_spool;

/*
 * End a message that cannot be read: what is left of it goes to quarantine/,
 * with WHY beside it.  It is pinned.  Return 0, or -1 with errno.
 */
int smtpd__spool_quarantine(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why);

/* Write LOADED to dead/ with WHY beside it.  Durable on 0; -1 with errno. */
int smtpd__spool_quarantine_dead_letter(struct smtpd_spool *s,
    const struct smtpd_loaded_message *loaded, const char *why);

/* The rest is for the spool itself. */

/* A smtpd_disk_settings.damaged. */
void smtpd__spool_quarantine_range(void *user, const char *segment_name,
    uint64_t offset, const void *data, size_t len, const char *why);

/* Copy the file NAME of large/ to quarantine/.  Return 0, or -1 with errno. */
int smtpd__spool_quarantine_large(
    struct smtpd_spool *s, const char *name, const char *why);

/* Copy all foreign records there that can be copied, and release them. */
void smtpd__spool_quarantine_foreign(struct smtpd_spool *s);

#endif
