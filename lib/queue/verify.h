/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_VERIFY_H
#define SMTPD_QUEUE_VERIFY_H

/*
 * Saying what would become of a message (smtpd_queue_verify()): the steps of a
 * submission and of an attempt that need no disk and no DNS.
 */

#include <smtpd/verify.h>

#include "base/arena.h"
#include "queue/delivery/route_table.h"

/* One question while it is answered. */
struct smtpd_verification {
	struct smtpd_queue *queue;
	struct smtpd_arena arena; /* what envelope points to */
	struct smtpd_outgoing_envelope envelope;
	struct smtpd_outgoing_rcpt rcpt; /* before it is expanded */
	struct smtpd_route_table *table;
};

#endif
