/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_HOSTS_H
#define SMTPD_QUEUE_DELIVERY_AGENT_HOSTS_H

/* The order in which an attempt tries the hosts of its route. */

#include "queue/delivery/agent_state.h"

/* Fill in the hosts of T: in the order of the route, those that are down last,
 * and the addresses of each likewise.  Return 0, or -1 without memory. */
int smtpd__agent_hosts_order(struct smtpd_agent_attempt *t);

#endif
