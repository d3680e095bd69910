/* SPDX-License-Identifier: MIT */
#include "queue/control/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"

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

struct smtpd_queued_message *
smtpd__control_request_find(const struct smtpd_control_request *r)
{
	uint64_t id;

	if (smtpd__id_parse(r->argument, &id) == -1)
		return NULL;
	return smtpd__spool_find(r->spool, id);
}

int
smtpd__control_request_no_message(const struct smtpd_control_request *r)
{
	return smtpd__control_request_fail(
	    r, ENOENT, "no such message", r->argument);
}
