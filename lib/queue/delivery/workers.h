/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_WORKERS_H
#define SMTPD_QUEUE_DELIVERY_WORKERS_H

/*
 * The threads that try messages.  They are made when there is something to do
 * and nobody is idle, up to the number of the settings, and stay until the
 * queue stops.  All calls but stop are under the queue's lock.
 */

#include <stdbool.h>
#include <stdint.h>

struct smtpd_delivery_job;
struct smtpd_queue;
struct smtpd_site;
struct smtpd_worker_thread;

struct smtpd_workers {
	struct smtpd_worker_thread *all;
	struct smtpd_worker_thread
	    *idle; /* have nothing to do, last one first */
	struct smtpd_worker_thread
	    *parked; /* have a connection, but no message */
	uint32_t count;
	uint32_t busy;   /* neither idle nor parked */
	uint32_t coming; /* were woken or made, and did not look yet */
};

/*
 * There may be something to do.  A job of SITE (or NULL) was put in: who has a
 * connection there takes it.
 */
void smtpd__workers_wake(struct smtpd_queue *q, const struct smtpd_site *site);

/* Give JOB, which is active and whose message is pinned, to somebody who has a
 * connection of SITE but no message.  Return false when there is nobody. */
bool smtpd__workers_hand_over(struct smtpd_queue *q,
    const struct smtpd_site *site, struct smtpd_delivery_job *job);

/* Time has passed: whoever has something to do by now, does it. */
void smtpd__workers_wake_due(struct smtpd_queue *q);

/* Wait until all have ended, who see that the queue is stopping; after
 * TIMEOUT_MS break off what they do.  Without the lock. */
void smtpd__workers_stop(struct smtpd_queue *q, uint32_t timeout_ms);

#endif
