/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_PARTS_H
#define SMTPD_QUEUE_CONTROL_PARTS_H

/*
 * Answers that come in parts, fetched one after the other.
 */

#include "queue/control/call.h"

/* Have PEER carry out CALL in as many parts as there are.  Return 0, or an
 * errno with the reason in call->end. */
int smtpd__control_parts_ask_all(const struct smtpd_control_peer *peer,
    const struct smtpd_control_call *call);

#endif
