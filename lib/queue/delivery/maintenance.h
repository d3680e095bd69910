/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_MAINTENANCE_H
#define SMTPD_QUEUE_DELIVERY_MAINTENANCE_H

/* The thread that does what time brings: it wakes workers when mail is due,
 * ends what is overdue, and keeps the journal small.  With nothing queued it
 * sleeps. */

#include "queue/delivery/delivery.h"

/* Start the thread, which ends when D is stopping.  Return 0, or -1 with
 * errno. */
int smtpd__maintenance_start(struct smtpd_delivery *d);

#endif
