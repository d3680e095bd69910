/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_STATE_CHANGE_H
#define SMTPD_QUEUE_SPOOL_STATE_CHANGE_H

/* What happens to a message as a whole: an operator holds it, releases it or
 * removes it, or it turns out to be damaged. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/model/queued_message.h"

struct smtpd_spool;
struct smtpd_spool_mail;

/* Hold a message or release it.  Return 0, or -1 with errno. */
int smtpd__state_change_hold(
    struct smtpd_spool *s, struct smtpd_queued_message *message, bool hold);

/*
 * End a message that somebody has pinned, whatever is unfinished: REMOVED is
 * set at once, and no further progress of it is recorded.  WHY is NULL when an
 * operator removes it; if it cannot be read, what is left of it goes to
 * quarantine/ before, with WHY beside it.  Return 0, or -1 with errno.
 */
int smtpd__state_change_end(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why);

/* The same for one that cannot be read, with the report of that to its sender,
 * MAIL, in one commit; NULL: nobody is told.  *REPORT is the message of it,
 * pinned as by smtpd__spool_add(), or NULL. */
int smtpd__state_change_quarantine(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why,
    const struct smtpd_spool_mail *mail, struct smtpd_queued_message **report);

#endif
