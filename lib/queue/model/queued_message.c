/* SPDX-License-Identifier: MIT */
#include "queue/model/queued_message.h"

bool
smtpd__queued_message_is_finished(const struct smtpd_queued_message *e,
    const struct smtpd_delivery_job *job, uint32_t rcpt)
{
	const _Atomic unsigned char *bits = e->finished;

	if (job->finished)
		return true;
	return bits != NULL && (bits[rcpt / 8] & 1u << rcpt % 8) != 0;
}
