/* SPDX-License-Identifier: MIT */
#include "trouble.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

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

/* Write why the message has no room in the quota of PLACE to BUF. */
static const char *
write_quota(const struct trouble_place *place, char *buf, size_t size)
{
	const struct quota_request *r = place->request;
	unsigned long long message = r->size, limit = r->limit;

	if (message > limit)
		snprintf(buf, size,
		    "a message of %llu bytes is larger than the quota of user "
		    "%s, %llu bytes",
		    message, place->user, limit);
	else
		snprintf(buf, size,
		    "the quota of user %s is used up, %llu of %llu bytes: no "
		    "room for %llu more",
		    place->user, (unsigned long long)r->used, limit, message);
	return buf;
}

void
trouble_log(struct log *log, const struct smtpd_session *s,
    const struct trouble_place *place, int error)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	bool quota = place->request != NULL && place->request->refused;
	bool full = quota || error == EDQUOT;
	char reason[LOG_ERROR_SIZE + 256];

	log_line(log, full ? SMTPD_LOG_WARNING : SMTPD_LOG_ERROR,
	    "id=%s session=%llu cannot deliver to %s: %s", envelope->id,
	    (unsigned long long)smtpd_session_id(s), place->path,
	    quota ? write_quota(place, reason, sizeof(reason))
		  : log_error(error, reason, sizeof(reason)));
}
