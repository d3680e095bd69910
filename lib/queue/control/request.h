/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_REQUEST_H
#define SMTPD_QUEUE_CONTROL_REQUEST_H

/*
 * One request while it is carried out on a spool, and how a verb reports that
 * it failed.
 */

#include "queue/control/call.h"
#include "queue/control/control.h"
#include "queue/control/output.h"
#include "queue/control/snapshot.h"
#include "queue/spool/spool.h"

/* Write about the message of a snapshot. */
typedef void smtpd_control_describe_fn(
    struct smtpd_control_output *a, const struct smtpd_control_snapshot *v);

struct smtpd_control_request {
	struct smtpd_spool *spool;
	const struct smtpd_control_hooks *hooks; /* not NULL */
	const struct smtpd_control_call *call;
	struct smtpd_control_output *answer;
	const char *argument; /* NULL: none */
	const char *from;     /* continuation word; NULL: from the start */
	struct smtpd_queued_message *message; /* the argument's, pinned; NULL */
	smtpd_control_describe_fn *describe;  /* as text or JSON */
	bool json;
	bool hold; /* of hold and release, the former */
};

/* Report REASON (NULL: the system's words for ERROR), preceded by WHAT if that
 * is not "", and return ERROR. */
int smtpd__control_request_fail(const struct smtpd_control_request *r,
    int error, const char *reason, const char *what);

#endif
