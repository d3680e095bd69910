/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_CHECK_H
#define SMTPD_QUEUE_CONTROL_CHECK_H

/*
 * The request check: everything is read, and damage is reported.
 */

#include "queue/control/request.h"

/* Return 0; EBADMSG if there is damage; or another errno.  The reason is
 * reported. */
int smtpd__control_check_spool(struct smtpd_control_request *r);

#endif
