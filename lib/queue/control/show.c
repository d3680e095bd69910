/* SPDX-License-Identifier: MIT */
#include "queue/control/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A part of an answer has so many octets of a message. */
#define PART_CONTENT 1048576

int
smtpd__control_show_message(struct smtpd_control_request *r)
{
	struct smtpd_control_snapshot v;
	int error = 0;

	if (smtpd__control_snapshot_init(
		&v, r->spool, r->hooks, r->message, true) == 0)
		r->describe(r->answer, &v);
	else
		error = smtpd__control_request_fail(r, errno, NULL, "");
	smtpd__control_snapshot_finish(&v);
	return error;
}

int
smtpd__control_show_content(struct smtpd_control_request *r)
{
	uint64_t at = r->from != NULL ? strtoull(r->from + 1, NULL, 10) : 0;
	uint64_t end = at + PART_CONTENT;
	struct smtpd_loaded_message loaded;
	char buf[16384];
	ssize_t n = 0;
	int error = 0;

	if (smtpd__spool_load(r->spool, r->message, &loaded) == -1)
		return smtpd__control_request_fail(r, errno, NULL, r->argument);
	while (at < end && !r->answer->failed) {
		n = smtpd__loaded_message_read(&loaded, at, buf, sizeof(buf));
		if (n <= 0)
			break;
		smtpd__control_output_bytes(r->answer, buf, (size_t)n);
		at += (uint64_t)n;
	}
	if (n == -1)
		error =
		    smtpd__control_request_fail(r, errno, NULL, r->argument);
	if (n > 0)
		snprintf(r->call->end, r->call->size, "@%" PRIu64, at);
	smtpd__loaded_message_finish(&loaded);
	return error;
}
