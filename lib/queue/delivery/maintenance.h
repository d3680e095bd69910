/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_MAINTENANCE_H
#define SMTPD_QUEUE_DELIVERY_MAINTENANCE_H

/* The thread that does what time brings: it wakes workers when mail is due,
 * ends what is overdue, and keeps the journal small.  With nothing queued it
 * sleeps. */

#include "queue/delivery/delivery.h"

/* What the thread runs until DELIVERY is stopping. */
void *smtpd__maintenance_run(void *delivery);

#endif
