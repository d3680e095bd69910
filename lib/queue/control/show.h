/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_SHOW_H
#define SMTPD_QUEUE_CONTROL_SHOW_H

/*
 * The requests about one message: show, why and cat.  Each returns 0, or an
 * errno with the reason reported.
 */

#include "queue/control/request.h"

/* show and why, which differ in r->describe; cat. */
int smtpd__control_show_message(struct smtpd_control_request *r);
int smtpd__control_show_content(struct smtpd_control_request *r);

#endif
