/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_QUARANTINE_H
#define SMTPD_QUEUE_SPOOL_QUARANTINE_H

/* What is set aside: messages and records that cannot be read, and reports that
 * nobody takes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/model/loaded_message.h"
#include "queue/model/queued_message.h"

struct smtpd_spool;

/* Copy what is left of MESSAGE, which was entered alone, to quarantine/, with
 * WHY beside it.  Return 0, or -1 with errno.  For the spool itself. */
int smtpd__spool_quarantine_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *message, const char *why);

/* Write LOADED to dead/, where there are *COUNT then, with WHY beside it.
 * Durable on 0; -1 with errno. */
int smtpd__spool_quarantine_dead_letter(struct smtpd_spool *s,
    const struct smtpd_loaded_message *loaded, const char *why,
    uint64_t *count);

/* Set aside all foreign records that can be, and release them.  For the spool
 * itself. */
void smtpd__spool_quarantine_foreign(struct smtpd_spool *s);

#endif
