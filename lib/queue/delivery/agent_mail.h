/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_AGENT_MAIL_H
#define SMTPD_QUEUE_DELIVERY_AGENT_MAIL_H

/* One transaction of an agent: its recipients and its message, which may have
 * gone ahead behind the one before. */

#include "queue/delivery/agent_state.h"

/* Choose the recipients of the next transaction from *PLACE on, or of those
 * that are LEFT_OVER.  Return how many there are. */
size_t smtpd__agent_mail_choose(
    struct smtpd_agent_attempt *t, size_t *place, bool left_over);

/* Send to those that were chosen.  LAST: the request needs no other transaction
 * if they get it, so that another request may go ahead.  Return 0, or -1 when
 * the connection was closed. */
int smtpd__agent_mail_send(struct smtpd_agent_attempt *t, bool last);

#endif
