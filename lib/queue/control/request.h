/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_REQUEST_H
#define SMTPD_QUEUE_CONTROL_REQUEST_H

/*
 * One request while it is carried out on a spool, and what the verbs share:
 * finding the message that is meant, and reporting failures.
 */

#include "queue/control/call.h"
#include "queue/control/control.h"
#include "queue/control/output.h"
#include "queue/spool/spool.h"

struct smtpd_control_request {
	struct smtpd_spool *spool;
	const struct smtpd_control_hooks *hooks; /* not NULL */
	const struct smtpd_control_call *call;
	struct smtpd_control_output *answer;
	const char *argument; /* NULL: none */
	const char *from;     /* continuation word; NULL: from the start */
	bool json;
};

/* Report REASON, preceded by WHAT if that is not "", and return ERROR. */
int smtpd__control_request_fail(const struct smtpd_control_request *r,
    int error, const char *reason, const char *what);

/* The same with the system's words for ERROR. */
int smtpd__control_request_fail_errno(
    const struct smtpd_control_request *r, int error, const char *what);

/* Return the message that the argument names, pinned, or NULL. */
struct smtpd_queued_message *smtpd__control_request_find(
    const struct smtpd_control_request *r);

/* Report that the argument names no message, and return ENOENT. */
int smtpd__control_request_no_message(const struct smtpd_control_request *r);

#endif
