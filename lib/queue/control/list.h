/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_LIST_H
#define SMTPD_QUEUE_CONTROL_LIST_H

/*
 * The requests about all messages: list, and ids, which export uses.  Both
 * answer in parts.  Each returns 0, or an errno with the reason reported.
 */

#include "queue/control/request.h"

int smtpd__control_list_messages(struct smtpd_control_request *r);
int smtpd__control_list_ids(struct smtpd_control_request *r);

#endif
