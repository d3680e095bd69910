/* SPDX-License-Identifier: MIT */
#include "queue/entry.h"

bool
smtpd_entry_is_finished(
    const struct smtpd_entry *e, const struct smtpd_job *job, uint32_t rcpt)
{
	if (job->finished)
		return true;
	return e->finished != NULL &&
	    (e->finished[rcpt / 8] & 1u << rcpt % 8) != 0;
}
