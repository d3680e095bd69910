/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_EXPAND_H
#define SMTPD_QUEUE_DELIVERY_EXPAND_H

/*
 * Recipients replaced by those to whom the program sends what is for them
 * (smtpd_expand_fn; RFC 5321, 3.9.1), before a message is put into the spool:
 * all of them stand in its one record.
 */

#include <smtpd/queue.h>

#include "base/arena.h"

/* The most recipients that those of one message can become. */
#define SMTPD_EXPAND_MAX 65536

/*
 * Replace the recipients of E as S say; what is new is in ARENA, and a
 * recipient that is there twice is left out.  Return 0, or -1 with errno.
 */
int smtpd__expand_envelope(const struct smtpd_queue_settings *s,
    struct smtpd_arena *arena, struct smtpd_outgoing_envelope *e);

#endif
