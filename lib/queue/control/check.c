/* SPDX-License-Identifier: MIT */
#include "queue/control/check.h"

#include <errno.h>
#include <inttypes.h>

/* Pass on lines about damage, which may quote a damaged record; or ask whether
 * to go on, by none. */
static int
write_damage(void *user, const void *data, size_t len)
{
	struct smtpd_control_output *a = user;

	if (len == 0)
		return a->failed ? -1 : a->write(a->user, data, len);
	smtpd__control_output_lines(a, "", data, len);
	return smtpd__control_output_end(a);
}

int
smtpd__control_check_spool(struct smtpd_control_request *r)
{
	struct smtpd_spool_damage damage;

	if (smtpd__spool_check(r->spool, &damage, write_damage, r->answer) ==
	    -1)
		return smtpd__control_request_fail(
		    r, errno, NULL, "the check was interrupted");
	smtpd__control_output_format(r->answer,
	    "%" PRIu64 " message%s intact, %" PRIu64 " damaged, %" PRIu64
	    " unreadable, %" PRIu64 " in quarantine, %" PRIu64 " in dead\n",
	    damage.messages, damage.messages == 1 ? "" : "s", damage.damaged,
	    damage.unread, damage.quarantine, damage.dead);
	if (damage.damaged == 0 && damage.unread > 0)
		return smtpd__control_request_fail(
		    r, EIO, "messages cannot be read", "");
	if (damage.damaged == 0)
		return 0;
	return smtpd__control_request_fail(r, EBADMSG, "damage was found", "");
}
