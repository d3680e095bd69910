/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVER_H
#define SMTPD_QUEUE_DELIVER_H

/*
 * A queue behind a server: smtpd_queue_admit() and smtpd_queue_deliver(), which
 * submit what a session brings.
 */

#include <smtpd/queue.h>

#include "base/sizes.h"
#include "queue/queue_state.h"

/* One message on its way from a session into the queue. */
struct smtpd_submission {
	struct smtpd_queue *queue;
	struct smtpd_session *session;
	const struct smtpd_envelope *envelope;
	struct smtpd_outgoing_envelope outgoing;
	struct smtpd_queue_options options;
	struct smtpd_outgoing_rcpt *rcpts;
	uint64_t size; /* octets read */
	char postmaster[sizeof("postmaster@") + SMTPD_HOSTNAME_SIZE];
	char received[SMTPD_RECEIVED_MAX];
	char id[SMTPD_QUEUE_ID_SIZE];
};

#endif
