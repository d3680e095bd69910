/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_CONNECT_H
#define SMTPD_QUEUE_DELIVERY_AGENT_CONNECT_H

/* Connecting to one host of an attempt, as the policy of TLS asks for it. */

#include "queue/delivery/agent_state.h"

/* Connect to HOST; in plain text too, where that is right after TLS failed.
 * Return 0, or -1 when it failed, which becomes the result of all recipients
 * that no host has given one. */
int smtpd__agent_connect(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host);

#endif
