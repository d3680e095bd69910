/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_LATE_SYNC_H
#define SMTPD_QUEUE_DELIVERY_LATE_SYNC_H

/*
 * The thread that makes durable what workers recorded without waiting for the
 * disk: before 100 ms are over, unless a message that came in has had it synced
 * already.  Where the disk does not manage that, workers wait, so that a power
 * cut never has more sent again than what was sent in so long, and one message
 * of each connection.
 */

#include "queue/delivery/delivery.h"

/* Start the thread.  Return 0, or an errno value. */
int smtpd__late_sync_start(struct smtpd_delivery *d);

/* End it, when nothing is recorded any more: all that was is durable then, or
 * cannot be made so. */
void smtpd__late_sync_stop(struct smtpd_delivery *d);

/* A result was recorded by smtpd__spool_progress_begin(): have it synced
 * soon. */
void smtpd__late_sync_wake(struct smtpd_delivery *d);

/* Wait as long as the oldest of them is overdue, and the queue does not stop:
 * nothing is to be sent meanwhile. */
void smtpd__late_sync_wait(struct smtpd_delivery *d);

#endif
