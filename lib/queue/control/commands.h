/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_CONTROL_COMMANDS_H
#define SMTPD_QUEUE_CONTROL_COMMANDS_H

/* One request while it is carried out (control.h), and those that change
 * something; each returns 0, or an errno with the reason told. */

#include "queue/control/output.h"
#include "queue/control/server.h"

struct smtpd_control_request {
	struct smtpd_spool *spool;
	const struct smtpd_control_hooks *hooks; /* not NULL */
	const char *argument;                    /* NULL: none */
	const char *from; /* where the part begins; NULL: at the start */
	bool json;
	struct smtpd_control_output *answer;
	char *end; /* for a reason, or where the next part begins */
	size_t size;
};

/* Tell REASON, of WHAT if that is not "", and return ERROR. */
int smtpd__control_request_fail(struct smtpd_control_request *r, int error,
    const char *reason, const char *what);

/* The same with the system's words for ERROR. */
int smtpd__control_request_fail_errno(
    struct smtpd_control_request *r, int error, const char *what);

/* The message that the argument names, pinned, or NULL. */
struct smtpd_queued_message *smtpd__control_request_find(
    struct smtpd_control_request *r);

/* Tell that the argument names none. */
int smtpd__control_request_no_message(struct smtpd_control_request *r);

int smtpd__control_change_flush(struct smtpd_control_request *r);
int smtpd__control_change_hold(struct smtpd_control_request *r);
int smtpd__control_change_release(struct smtpd_control_request *r);
int smtpd__control_change_remove(struct smtpd_control_request *r);

#endif
