/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_LOCAL_H
#define SMTPD_QUEUE_DELIVERY_LOCAL_H

/* Delivery to the program itself, by the callback of a route. */

#include "queue/delivery/agent.h"

/* Have TARGET, of kind SMTPD_ROUTE_LOCAL, deliver REQUEST, and log the results.
 * Return 0, or -1 without memory: all results are temporary then.  Blocks. */
int smtpd__local_deliver(const struct smtpd_route_target *target,
    struct smtpd_delivery_request *request, const struct smtpd_logger *logger);

#endif
