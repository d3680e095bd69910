/* SPDX-License-Identifier: MIT */
#include "queue/spool/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "queue/spool/core.h"

/* Read MESSAGE.  Return 0, an errno, or -1: it has ended. */
static int
check_message(struct smtpd_spool *s, const struct smtpd_queued_message *message)
{
	struct smtpd_loaded_message loaded;
	int error = 0;

	if (smtpd__spool_load(s, message, &loaded) == -1)
		return errno == ENOENT ? -1 : errno;
	if (smtpd__loaded_message_check(&loaded) == -1)
		error = errno;
	smtpd__loaded_message_finish(&loaded);
	return error;
}

/* Count message ID, which ERROR kept from being read, and write a line about it
 * to LINE of SIZE bytes.  Return its length. */
static int
report_message(struct smtpd_spool_damage *out, const char *id, int error,
    char *line, size_t size)
{
	if (error == EBADMSG) {
		out->damaged++;
		return snprintf(line, size, "%s: it is damaged\n", id);
	}
	out->unread++;
	if (error == EACCES)
		return snprintf(line, size,
		    "%s: large/%s belongs to another user and cannot be read: "
		    "chown it to that of the queue\n",
		    id, id);
	return snprintf(
	    line, size, "%s: it cannot be read: %s\n", id, strerror(error));
}

int
smtpd__spool_check(struct smtpd_spool *s, struct smtpd_spool_damage *out,
    smtpd_write_fn *write, void *user)
{
	struct smtpd_queued_message *e;
	uint64_t damages = s->damages;
	char text[SMTPD_ID_SIZE], line[256];
	int len, status = 0;

	*out = (struct smtpd_spool_damage){ 0 };
	out->quarantine =
	    smtpd__content_count_kept(s->journal, SMTPD_CONTENT_QUARANTINE);
	out->dead =
	    smtpd__content_count_kept(s->journal, SMTPD_CONTENT_DEAD_LETTER);
	if (damages > 0) {
		out->damaged += damages;
		len = snprintf(line, sizeof(line),
		    "the log: damaged in %llu places\n",
		    (unsigned long long)damages);
		status = write(user, line, (size_t)len);
	}
	for (uint64_t id = 0;
	    status == 0 && (e = smtpd__spool_next(s, id)) != NULL;) {
		int error = 0;

		status = write(user, "", 0);
		if (status == 0)
			error = check_message(s, e);
		id = e->id;
		smtpd__spool_unpin(s, e);
		if (status != 0)
			break;
		if (error == 0)
			out->messages++;
		if (error <= 0)
			continue;
		smtpd__id_write(id, text);
		len = report_message(out, text, error, line, sizeof(line));
		status = write(user, line, (size_t)len);
	}
	return status;
}
