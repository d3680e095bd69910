/* SPDX-License-Identifier: MIT */
#include "queue/control/request.h"

#include <stdio.h>
#include <string.h>

int
smtpd__control_request_fail(const struct smtpd_control_request *r, int error,
    const char *reason, const char *what)
{
	snprintf(r->call->end, r->call->size, "%s%s%s", what,
	    *what != '\0' ? ": " : "",
	    reason != NULL ? reason : strerror(error));
	return error;
}
