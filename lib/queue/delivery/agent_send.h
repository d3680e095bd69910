/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_SEND_H
#define SMTPD_QUEUE_DELIVERY_AGENT_SEND_H

/* Sending the message of an attempt over the connection that is open. */

#include "queue/delivery/agent_state.h"

/*
 * Send to all recipients that are pending.  Return 0; or -1 when the connection
 * was REUSED, and turned out to be closed before the server replied to any
 * command: then nothing has happened.
 */
int smtpd__agent_send(struct smtpd_agent_attempt *t, bool reused);

#endif
