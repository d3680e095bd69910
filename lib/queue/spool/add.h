/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_ADD_H
#define SMTPD_QUEUE_SPOOL_ADD_H

/* Adding messages to the spool. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smtpd/outgoing.h>

#include "queue/model/queued_message.h"
#include "queue/spool/content.h"

struct smtpd_spool;

/* A message to be added. */
struct smtpd_spool_mail {
	uint64_t id; /* wanted; 0, or one that is taken: a new one is made */
	struct smtpd_outgoing_envelope envelope; /* each recipient has a
	                                          * domain */
	unsigned flags; /* of enum smtpd_message_flag: HELD, AUTOMATIC */
	struct smtpd_spool_content *content; /* destroyed in any case */
};

/*
 * Add MAIL.  On 0 it is on stable storage, and *MESSAGE, whose jobs are out of
 * the schedule and due now, is pinned once: unpin it when they were scheduled.
 * Or -1 with errno: ENOSPC, ENOMEM, EINVAL (an address without a domain), EIO
 * and others.
 */
int smtpd__spool_add(struct smtpd_spool *s, const struct smtpd_spool_mail *mail,
    struct smtpd_queued_message **message);

#endif
