/* SPDX-License-Identifier: MIT */
#include "queue/control/check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Pass on lines about damage, which may quote a damaged record. */
static int
pass_on_damage(void *user, const void *data, size_t len)
{
	struct smtpd_control_output *a = user;
	const char *line = data;

	while (len > 0) {
		const char *end = memchr(line, '\n', len);
		size_t n = end != NULL ? (size_t)(end - line) : len;

		smtpd__control_output_shown(a, line, n);
		if (end != NULL) {
			smtpd__control_output_add(a, "\n");
			n++;
		}
		line += n;
		len -= n;
	}
	return smtpd__control_output_end(a);
}

int
smtpd__control_check_spool(struct smtpd_control_request *r)
{
	struct smtpd_spool_damage damage;

	if (smtpd__spool_check(r->spool, &damage, pass_on_damage, r->answer) ==
	    -1)
		return smtpd__control_request_fail_errno(
		    r, errno, "the check was interrupted");
	smtpd__control_output_format(r->answer,
	    "%" PRIu64 " messages intact, %" PRIu64 " damaged, %" PRIu64
	    " in quarantine\n",
	    damage.messages, damage.damaged, damage.quarantine);
	if (damage.damaged == 0)
		return 0;
	return smtpd__control_request_fail(r, EBADMSG, "damage was found", "");
}
