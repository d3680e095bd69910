/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVER_H
#define SMTPD_QUEUE_DELIVER_H

/*
 * A queue behind a server: smtpd_queue_admit() and smtpd_queue_deliver(), which
 * submit what a session brings.
 */

#include <smtpd/queue.h>

#include "queue/queue_state.h"

/* One message on its way from a session into the queue. */
struct smtpd_submission {
	struct smtpd_queue *queue;
	const struct smtpd_envelope *envelope;
	struct smtpd_outgoing_envelope outgoing;
	struct smtpd_queue_options options;
	struct smtpd_outgoing_rcpt *rcpts;
	uint64_t size; /* octets read */
	char postmaster[16 + 256];
	char received[1024];
	char id[SMTPD_QUEUE_ID_SIZE];
};

#endif
