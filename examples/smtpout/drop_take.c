/* SPDX-License-Identifier: MIT */
#include "drop_take.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <smtpd/address.h>

#include "ascii.h"
#include "drop_place.h"
#include "drop_read.h"
#include "text_list.h"
#include "user_trace.h"

/* The first number of Received fields that the server refuses too. */
#define HOPS_MAX 100

/* One file while it is read. */
struct taking {
	const struct drop_take *take;
	uid_t uid;
	time_t when; /* it was written */
	struct drop_read in;
	struct text_list rcpts;
	char *sender, *ret, *envid, *notify;
	bool utf8; /* an address is outside ASCII */
	struct smtpd_outgoing_rcpt *array;
	char *why;
	size_t why_size;

	/* The header, as far as hops are counted in it. */
	char start[sizeof("Received:") - 1]; /* of the line */
	size_t column;
	unsigned hops;
	bool in_body;
};

const char *
drop_take_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_nlink != 1)
		return "it has another name elsewhere";
	if ((st->st_mode & 07777) != DROP_MODE)
		return "its mode is not one that smtpout-drop gives";
	return st->st_size > 0 ? NULL : "it is empty";
}

bool
drop_take_is_unfinished(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & 07777) == 0600;
}

static enum drop_outcome
say_bad(struct taking *t, const char *why)
{
	snprintf(t->why, t->why_size, "%s", why);
	return DROP_BAD;
}

/* What an errno of the queue means for the file. */
static enum drop_outcome
say_errno(struct taking *t, int error)
{
	char reason[LOG_ERROR_SIZE];

	if (error == EINVAL)
		return say_bad(t, "an address or parameter is none");
	if (error == EFBIG)
		return say_bad(t, "it has too many recipients");
	snprintf(t->why, t->why_size, "%s",
	    log_error(error, reason, sizeof(reason)));
	return DROP_LATER;
}

/* Reading failed, for what is in the file, or for what the system says. */
static enum drop_outcome
say_unread(struct taking *t)
{
	char reason[LOG_ERROR_SIZE];

	if (t->in.fault != NULL)
		return say_bad(t, t->in.fault);
	snprintf(t->why, t->why_size, "cannot read it: %s",
	    log_error(errno, reason, sizeof(reason)));
	return DROP_FAILED;
}

/* Keep the value of a line.  Return 0, or -1 without memory. */
static int
keep_value(struct taking *t, const char *value)
{
	char **const places[] = {
		[DROP_FORMAT_SENDER] = &t->sender,
		[DROP_FORMAT_RET] = &t->ret,
		[DROP_FORMAT_ENVID] = &t->envid,
		[DROP_FORMAT_NOTIFY] = &t->notify,
	};
	enum drop_format_key key = t->in.format.key;

	if (key == DROP_FORMAT_SENDER || key == DROP_FORMAT_RCPT)
		t->utf8 |= !ascii_is(value);
	if (key == DROP_FORMAT_RCPT)
		return text_list_add(&t->rcpts, value);
	if (key == DROP_FORMAT_VERSION || key == DROP_FORMAT_DATA)
		return 0;
	*places[key] = strdup(value);
	return *places[key] != NULL ? 0 : -1;
}

static enum drop_outcome
read_envelope(struct taking *t)
{
	const char *value;
	int status;

	while ((status = drop_read_line(&t->in, &value)) == 1)
		if (keep_value(t, value) == -1)
			return say_errno(t, ENOMEM);
	if (status == -1)
		return say_unread(t);
	if (t->take->max_size != 0 && t->in.format.size > t->take->max_size)
		return say_bad(t, "it is larger than --max-message-size");
	t->array = calloc(t->rcpts.count, sizeof(*t->array));
	if (t->array == NULL)
		return say_errno(t, ENOMEM);
	for (size_t i = 0; i < t->rcpts.count; i++)
		t->array[i] = (struct smtpd_outgoing_rcpt){
			SMTPD_OUTGOING_RCPT_INIT,
			.address = t->rcpts.items[i],
			.notify = t->notify,
		};
	return DROP_QUEUED;
}

static struct smtpd_queue_message *
begin_message(const struct taking *t)
{
	char trace[USER_TRACE_SIZE];
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = t->sender,
		.rcpts = t->array,
		.nrcpts = t->rcpts.count,
		.ret = t->ret,
		.envid = t->envid,
		.utf8 = t->utf8,
	};
	const struct smtpd_queue_options options = {
		SMTPD_QUEUE_OPTIONS_INIT,
		.trace = trace,
		.fix = t->take->fix,
	};

	user_trace_write(
	    t->take->hostname, "smtpout-drop", t->uid, t->when, trace);
	return smtpd_queue_begin(t->take->queue, &envelope, &options);
}

/* Count the Received fields in LEN bytes of the message: without them a loop
 * over programs would have no end (RFC 5321, 6.3). */
static void
count_hops(struct taking *t, const char *data, size_t len)
{
	for (size_t i = 0; i < len && !t->in_body; i++) {
		if (data[i] == '\n') {
			t->in_body = t->column <= 1;
			t->column = 0;
			continue;
		}
		if (t->column < sizeof(t->start))
			t->start[t->column] = data[i];
		if (++t->column == sizeof(t->start) &&
		    strncasecmp(t->start, "Received:", sizeof(t->start)) == 0)
			t->hops++;
	}
}

/* Copy the content to M.  DROP_QUEUED: all of it is there. */
static enum drop_outcome
copy_content(struct taking *t, struct smtpd_queue_message *m)
{
	const char *data;
	size_t len;
	int status;

	while ((status = drop_read_block(&t->in, &data, &len)) == 1) {
		count_hops(t, data, len);
		if (t->hops >= HOPS_MAX)
			return say_bad(t, "it goes in a loop");
		if (smtpd_queue_write(m, data, len) == -1)
			return say_errno(t, errno);
	}
	return status == 0 ? DROP_QUEUED : say_unread(t);
}

/* Write ADDRESS to BUF as it is queued, with a domain, and escaped. */
static const char *
show_address(
    const struct taking *t, const char *address, char *buf, size_t size)
{
	char parts[SMTPD_ADDRESS_MAX], whole[2 * SMTPD_ADDRESS_MAX];
	struct smtpd_address a;
	bool complete = address[0] == '\0' ||
	    (smtpd_address_parse(address, parts, sizeof(parts), &a) == 0 &&
		a.domain[0] != '\0');

	snprintf(whole, sizeof(whole), "%s%s%s", address, complete ? "" : "@",
	    complete ? "" : t->take->mailname);
	return smtpd_address_escape(whole, buf, size);
}

/* Log it as submission.h does what comes by SMTP. */
static void
log_queued(const struct taking *t, const char *id)
{
	char from[600], to[600];

	for (size_t i = 0; i < t->rcpts.count; i++) {
		show_address(t, t->rcpts.items[i], to, sizeof(to));
		if (i > 0)
			log_line(t->take->log, SMTPD_LOG_INFO,
			    "recipient id=%s to=<%s>", id, to);
		else
			log_line(t->take->log, SMTPD_LOG_INFO,
			    "queued id=%s from=<%s> to=<%s> nrcpt=%zu "
			    "size=%llu peer=drop-box uid=%lu",
			    id, show_address(t, t->sender, from, sizeof(from)),
			    to, t->rcpts.count,
			    (unsigned long long)t->in.format.size,
			    (unsigned long)t->uid);
	}
}

static int64_t
monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static enum drop_outcome
queue_message(struct taking *t)
{
	enum drop_outcome outcome = read_envelope(t);
	struct smtpd_queue_message *m;
	char id[SMTPD_QUEUE_ID_SIZE];

	if (outcome != DROP_QUEUED)
		return outcome;
	if (!user_shares_has_room(
		t->take->shares, t->uid, t->in.format.size, monotonic_s())) {
		snprintf(t->why, t->why_size,
		    "the user's share of the queue is used up");
		return DROP_FAILED;
	}
	m = begin_message(t);
	if (m == NULL)
		return say_errno(t, errno);
	outcome = copy_content(t, m);
	if (outcome != DROP_QUEUED) {
		smtpd_queue_abort(m);
		return outcome;
	}
	if (smtpd_queue_commit(m, id) == -1)
		return say_errno(t, errno);
	user_shares_add(
	    t->take->shares, t->uid, t->in.format.size, monotonic_s());
	log_queued(t, id);
	return DROP_QUEUED;
}

static void
finish_taking(struct taking *t)
{
	text_list_finish(&t->rcpts);
	free(t->array);
	free(t->sender);
	free(t->ret);
	free(t->envid);
	free(t->notify);
}

/* A link, a socket or the like cannot be opened, a pipe does not block.  Return
 * a descriptor, or -1 with the outcome. */
static int
open_file(
    struct taking *t, int dir, const char *name, enum drop_outcome *outcome)
{
	const char *fault;
	struct stat st;
	int fd;

	*outcome = DROP_GONE;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    drop_take_is_unfinished(&st))
		return -1;
	t->uid = st.st_uid;
	t->when = st.st_mtime;
	fault = drop_take_fault(&st);
	if (fault != NULL) {
		*outcome = say_bad(t, fault);
		return -1;
	}
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		*outcome = errno == ENOENT ? DROP_GONE : say_unread(t);
		return -1;
	}
	if (fstat(fd, &st) == -1 || drop_take_fault(&st) != NULL ||
	    st.st_uid != t->uid) {
		close(fd);
		return -1;
	}
	return fd;
}

enum drop_outcome
drop_take_file(const struct drop_take *take, int dir, const char *name,
    uid_t *uid, char *why, size_t size)
{
	struct taking t = { .take = take, .why = why, .why_size = size };
	enum drop_outcome outcome;
	int fd = open_file(&t, dir, name, &outcome);

	*uid = t.uid;
	if (fd == -1)
		return outcome;
	drop_read_init(&t.in, fd);
	outcome = queue_message(&t);
	finish_taking(&t);
	close(fd);
	return outcome;
}
