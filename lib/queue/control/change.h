/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_CHANGE_H
#define SMTPD_QUEUE_CONTROL_CHANGE_H

/*
 * The requests that change something: flush, hold, release and remove.  Each
 * returns 0, or an errno with the reason reported.
 */

#include "queue/control/request.h"

int smtpd__control_change_flush(struct smtpd_control_request *r);
int smtpd__control_change_hold(struct smtpd_control_request *r); /* r->hold */
int smtpd__control_change_remove(struct smtpd_control_request *r);

#endif
