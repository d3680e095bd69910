/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_HOSTS_H
#define SMTPD_QUEUE_DELIVERY_AGENT_HOSTS_H

/*
 * The hosts of an attempt, in the order in which they are tried, and turns of
 * those that are equal.
 */

#include "queue/delivery/agent_state.h"

/* Fill in the hosts of T: in the order of the route, those that are down last,
 * of equal preference the one first that was not used for the longest time, and
 * the addresses of each likewise.  Return 0, or -1 without memory. */
int smtpd__agent_hosts_order(struct smtpd_agent_attempt *t);

/* Whether the open connection has served its turn, and a host or address that
 * is as good got nothing meanwhile. */
bool smtpd__agent_hosts_others_wait(const struct smtpd_agent_attempt *t);

#endif
