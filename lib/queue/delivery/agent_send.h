/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_SEND_H
#define SMTPD_QUEUE_DELIVERY_AGENT_SEND_H

/* Sending the message of an attempt over the connection that is open. */

#include "queue/delivery/agent_state.h"

/*
 * Send to all recipients that are pending, or to those alone that are left over
 * from another connection to the host.  Return 0; or -1 when it takes one more
 * connection: this one was REUSED, and turned out to be closed before the
 * server replied to any command, so nothing has happened; or the host takes no
 * more messages over it, and some recipients are left over.
 */
int smtpd__agent_send(struct smtpd_agent_attempt *t, bool reused);

#endif
