/* SPDX-License-Identifier: MIT */
#include "submit_queue.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <smtpd/address.h>
#include <smtpd/queue.h>

#include "mailname.h"
#include "privileges.h"
#include "user_trace.h"

#define BLOCK_SIZE 16384

/* How long a log is waited for that takes nothing. */
#define LOG_SECONDS 60

/* Return how many octets there are, or -1 with errno. */
static long long
copy_message(const struct submission *s, struct smtpd_queue_message *d)
{
	char buf[BLOCK_SIZE];
	long long size = 0;
	size_t n;

	rewind(s->message->file);
	while ((n = fread(buf, 1, sizeof(buf), s->message->file)) > 0) {
		if (smtpd_queue_write(d, buf, n) == -1)
			return -1;
		size += (long long)n;
	}
	errno = EIO;
	return ferror(s->message->file) ? -1 : size;
}

/* Write to the system's log what smtpout, which does not run, would have
 * written to its own.  A process does so for which nobody waits: the message is
 * safe, and who is held up by a log that takes nothing would send it again. */
static void
log_queued(const struct submission *s, const char *id, long long size)
{
	char from[600], to[600];

	if (fork() != 0)
		return;
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	alarm(LOG_SECONDS);
	openlog(PROGRAM, LOG_PID, LOG_MAIL);
	for (size_t i = 0; i < s->nrcpts; i++) {
		smtpd_address_escape(s->rcpts[i].address, to, sizeof(to));
		if (i > 0)
			syslog(LOG_INFO, "recipient id=%s to=<%s>", id, to);
		else
			syslog(LOG_INFO,
			    "queued id=%s from=<%s> to=<%s> nrcpt=%zu "
			    "size=%lld uid=%lu",
			    id,
			    smtpd_address_escape(
				s->identity->sender, from, sizeof(from)),
			    to, s->nrcpts, size, (unsigned long)getuid());
	}
	_exit(0);
}

/* Return the octets, and the message's ID, or -1 with errno. */
static long long
add_message(struct submission *s, struct smtpd_queue *queue,
    char id[SMTPD_QUEUE_ID_SIZE])
{
	char trace[USER_TRACE_SIZE];
	struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = s->identity->sender,
		.rcpts = s->rcpts,
		.nrcpts = s->nrcpts,
		.ret = s->arguments->ret,
		.envid = s->arguments->envid,
	};
	struct smtpd_queue_options options = {
		SMTPD_QUEUE_OPTIONS_INIT,
		.trace = trace,
		.fix =
		    SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID | SMTPD_FIX_ADDRESSES,
	};
	struct smtpd_queue_message *message;
	long long size;
	int error;

	user_trace_write(
	    s->identity->host, PROGRAM, getuid(), time(NULL), trace);
	message = smtpd_queue_begin(queue, &envelope, &options);
	if (message == NULL)
		return -1;
	size = copy_message(s, message);
	if (size == -1) {
		error = errno;
		smtpd_queue_abort(message);
		errno = error;
		return -1;
	}
	return smtpd_queue_commit(message, id) == 0 ? size : -1;
}

static bool
add_to_directory(struct submission *s, const char *mailname)
{
	const struct smtpd_queue_settings settings = {
		SMTPD_QUEUE_SETTINGS_INIT,
		.hostname = s->identity->host,
		.local_domain = mailname,
	};
	const char *directory = s->arguments->queue;
	char why[512], id[SMTPD_QUEUE_ID_SIZE];
	long long size;
	struct smtpd_queue *queue =
	    smtpd_queue_open(directory, &settings, why, sizeof(why));

	if (queue == NULL) {
		bool busy = errno == EBUSY;

		/* Why its process does not answer was reported before. */
		if (!busy)
			snprintf(s->why + strlen(s->why),
			    sizeof(s->why) - strlen(s->why), "; %s: %s",
			    directory, why);
		return busy;
	}
	size = add_message(s, queue, id);
	if (size == -1)
		snprintf(s->why + strlen(s->why),
		    sizeof(s->why) - strlen(s->why), "; %s: %s", directory,
		    strerror(errno));
	smtpd_queue_close(queue);
	if (size == -1)
		return false;
	log_queued(s, id, size);
	s->nrcpts = 0;
	return false;
}

bool
submit_queue(struct submission *s)
{
	char mailname[HOSTNAME_SIZE], why[512];
	struct stat st;
	bool again = true;

	if (stat(s->arguments->queue, &st) == -1 || !S_ISDIR(st.st_mode))
		return true;
	if (mailname_find(mailname, why, sizeof(why)) == -1) {
		snprintf(s->why + strlen(s->why),
		    sizeof(s->why) - strlen(s->why), "; %s", why);
		return false;
	}
	if (privileges_borrow(s->arguments->queue) == -1)
		return true;
	if (faccessat(AT_FDCWD, s->arguments->queue, R_OK | W_OK | X_OK,
		AT_EACCESS) == 0)
		again = add_to_directory(s, mailname);
	privileges_return();
	return again;
}
