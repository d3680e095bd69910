/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_WORKERS_H
#define SMTPD_QUEUE_DELIVERY_WORKERS_H

/*
 * The threads that try messages: each takes a job, tries it, and stays with its
 * connection while there is more for that site.
 */

#include "queue/delivery/delivery.h"

/* How many of WORKERS may be set aside: so many for each, but no more than
 * there are descriptors for. */
uint32_t smtpd__workers_count_aside(uint32_t workers);

/* Prepare the pool of D.  Threads are started when there is work. */
void smtpd__workers_init(struct smtpd_delivery *d);

/* D is stopping: break off attempts, but wait up to TIMEOUT_MS for replies to
 * the end of a message, and until all threads have ended.  Without the lock. */
void smtpd__workers_stop(struct smtpd_delivery *d, uint32_t timeout_ms);

#endif
