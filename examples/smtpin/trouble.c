/* SPDX-License-Identifier: MIT */
#include "trouble.h"

#include <errno.h>
#include <stdbool.h>

struct trouble
trouble_for(int error)
{
	switch (error) {
	case ENOMEM:
		return (struct trouble){ 451, "4.3.0",
			"Out of memory, try again later" };
	case ENOSPC:
		return (struct trouble){ 452, "4.3.1",
			"Insufficient disk space, try again later" };
	case EMSGSIZE:
		return (struct trouble){ 552, "5.2.2",
			"Message larger than the whole mailbox may be" };
	case EDQUOT:
	case EFBIG:
		return (struct trouble){ 452, "4.2.2",
			"Mailbox full, try again later" };
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case ELOOP:
	case EROFS:
	case ENAMETOOLONG:
		return (struct trouble){ 451, "4.3.5",
			"Mailbox not available, try again later" };
	default:
		return (struct trouble){ 451, "4.3.0",
			"Message could not be stored, try again later" };
	}
}

int
trouble_reply(struct smtpd_session *s, int error)
{
	const struct trouble t = trouble_for(error);

	return smtpd_reply(s, t.code, t.status, "%s", t.text);
}

void
trouble_log(
    struct log *log, const struct smtpd_session *s, const char *path, int error)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	bool full = error == EDQUOT || error == EMSGSIZE;
	char reason[LOG_ERROR_SIZE];

	log_line(log, full ? SMTPD_LOG_WARNING : SMTPD_LOG_ERROR,
	    "id=%s session=%llu cannot deliver to %s: %s", envelope->id,
	    (unsigned long long)smtpd_session_id(s), path,
	    log_error(error, reason, sizeof(reason)));
}
