/* SPDX-License-Identifier: MIT */
#include "queue/control/request.h"

#include <stdio.h>
#include <string.h>

int
smtpd__control_request_fail(const struct smtpd_control_request *r, int error,
    const char *reason, const char *what)
{
	snprintf(r->call->end, r->call->size, "%s%s%s", what,
	    *what != '\0' ? ": " : "", reason);
	return error;
}

int
smtpd__control_request_fail_errno(
    const struct smtpd_control_request *r, int error, const char *what)
{
	return smtpd__control_request_fail(r, error, strerror(error), what);
}
