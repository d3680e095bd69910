/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/session.h>

#include "message_log.h"

/* What must stay free beside the message that is announced. */
#define RESERVE (8U << 20)

/* Read from the client at a time. */
#define PIECE 8192

/* Return-Path, Delivered-To and Received. */
#define HEADER_SIZE (2 * SMTPD_ADDRESS_MAX + 1024 + 64)

/* What a transaction keeps. */
struct transaction {
	struct users *users; /* the map that its recipients were found in */
	struct timespec begun;
	uint64_t size; /* of the message, as far as it was read */
};

/* One message on its way to its mailboxes. */
struct job {
	struct delivery *d;
	struct smtpd_session *session;
	const struct smtpd_envelope *envelope;
	struct transaction *transaction;
	struct smtpd_maildir_message *message;
	struct owner *owners; /* of the mailboxes, each once */
	size_t count;
};

static int
out_of_memory(struct smtpd_session *s)
{
	return smtpd_reply(s, 451, "4.3.0", "out of memory, try again later");
}

/* Tell the client what ERROR, an errno, means to it: local trouble is never
 * its fault, and never for ever. */
static int
reply_errno(struct smtpd_session *s, int error)
{
	switch (error) {
	case ENOSPC:
		return smtpd_reply(s, 452, "4.3.1", "the disk is full");
	case EDQUOT:
	case EFBIG:
		return smtpd_reply(s, 452, "4.2.2", "the mailbox is full");
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case ELOOP:
	case ENAMETOOLONG:
		return smtpd_reply(
		    s, 451, "4.3.5", "the mailbox is not available");
	default:
		return smtpd_reply(
		    s, 451, "4.3.0", "cannot store the message now");
	}
}

static void
transaction_free(void *data)
{
	struct transaction *t = data;

	users_release(t->users);
	free(t);
}

/* How many bytes may be written where the mailboxes are. */
static uint64_t
free_space(struct delivery *d)
{
	struct timespec now;
	struct statvfs fs;
	char root[PATH_MAX];
	uint64_t bytes;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&d->space.guard);
	if (d->space.when != now.tv_sec) {
		d->space.when = now.tv_sec;
		d->space.free = UINT64_MAX;
		if (mailbox_root(&d->pattern, root, sizeof(root)) == 0 &&
		    statvfs(root, &fs) == 0)
			d->space.free = (uint64_t)fs.f_bavail * fs.f_frsize;
	}
	bytes = d->space.free;
	pthread_mutex_unlock(&d->space.guard);
	return bytes;
}

static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	struct delivery *d = user;
	struct transaction *t;
	uint64_t space = free_space(d);

	(void)c;
	if (space < RESERVE || space - RESERVE < envelope->size) {
		log_line(d->log, SMTPD_LOG_ERROR,
		    "id=%s no space for %llu bytes under %.*s", envelope->id,
		    (unsigned long long)envelope->size,
		    (int)d->pattern.root_len, d->pattern.text);
		return smtpd_reply(s, 452, "4.3.1", "the disk is full");
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return out_of_memory(s);
	t->users = users_current_get(&d->users);
	clock_gettime(CLOCK_MONOTONIC, &t->begun);
	smtpd_session_set_transaction_data(s, t, transaction_free);
	return 0;
}

static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const struct transaction *t = smtpd_session_transaction_data(s);
	const struct delivery *d = user;
	struct owner owner;
	char path[PATH_MAX];

	switch (users_find(t->users, c->address, d->hostname, &owner)) {
	case USERS_FOUND:
		break;
	case USERS_UNKNOWN:
		return smtpd_reply(
		    s, 550, "5.1.1", "<%s>: no such user", c->address->text);
	case USERS_FOREIGN:
		return smtpd_reply(s, 550, "5.7.1",
		    "<%s>: not a domain of this server", c->address->text);
	case USERS_RELAY:
		return smtpd_reply(s, 550, "5.7.1",
		    "<%s>: this server relays nothing", c->address->text);
	}
	if (mailbox_path(&d->pattern, &owner, path, sizeof(path)) == -1)
		return reply_errno(s, ENAMETOOLONG);
	return 0;
}

/* Whether the mailbox of OWNER is among those of JOB. */
static bool
is_known(const struct job *job, const struct owner *owner)
{
	for (size_t i = 0; i < job->count; i++)
		if (strcmp(job->owners[i].user, owner->user) == 0 &&
		    (!job->d->pattern.by_domain ||
			strcmp(job->owners[i].domain, owner->domain) == 0))
			return true;
	return false;
}

/* Add the mailbox PATH, and make it if there is none yet. */
static int
add_mailbox(struct job *job, const char *path, const char *header, size_t len)
{
	if (smtpd_maildir_add(job->message, path, header, len) == 0)
		return 0;
	if (errno != ENOENT ||
	    smtpd_maildir_make(path, job->d->pattern.root_len) == -1)
		return -1;
	return smtpd_maildir_add(job->message, path, header, len);
}

/* Add the mailbox of recipient R, unless it is there; RECEIVED is the trace
 * header. */
static int
add_recipient(struct job *job, const struct smtpd_rcpt *r, const char *received)
{
	struct owner *owner = &job->owners[job->count];
	char path[PATH_MAX], header[HEADER_SIZE];
	int len;

	if (users_find(job->transaction->users, &r->address, job->d->hostname,
		owner) != USERS_FOUND ||
	    mailbox_path(&job->d->pattern, owner, path, sizeof(path)) == -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (is_known(job, owner))
		return 0;
	len = snprintf(header, sizeof(header),
	    "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s",
	    job->envelope->sender.text, r->address.text, received);
	if (add_mailbox(job, path, header, (size_t)len) == -1) {
		int error = errno;

		log_line(job->d->log, SMTPD_LOG_ERROR,
		    "id=%s cannot deliver to %s: %s", job->envelope->id, path,
		    strerror(error));
		errno = error;
		return -1;
	}
	job->count++;
	return 0;
}

static int
add_recipients(struct job *job)
{
	const struct smtpd_envelope *envelope = job->envelope;
	char received[1024];

	if (smtpd_session_received(job->session, received, sizeof(received)) ==
	    -1) {
		errno = EMSGSIZE;
		return -1;
	}
	for (size_t i = 0; i < envelope->nrcpts; i++)
		if (add_recipient(job, &envelope->rcpts[i], received) == -1)
			return -1;
	return 0;
}

/* Log that storing failed with ERROR, and in which mailboxes. */
static void
log_failure(const struct job *job, int error)
{
	char path[PATH_MAX];

	if (mailbox_path(
		&job->d->pattern, &job->owners[0], path, sizeof(path)) == -1)
		return;
	log_line(job->d->log, SMTPD_LOG_ERROR,
	    "id=%s cannot store in %s and %zu more: %s", job->envelope->id,
	    path, job->count - 1, strerror(error));
}

/* A mailbox that has lost a part, as after a crash while it was made, is whole
 * when the client tries again. */
static void
mend(const struct job *job)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < job->count; i++)
		if (mailbox_path(&job->d->pattern, &job->owners[i], path,
			sizeof(path)) == 0)
			smtpd_maildir_make(path, job->d->pattern.root_len);
}

/* Copy the message to its mailboxes.  Return 1 when it is whole there, 0 when
 * it has no valid end, -1 with errno. */
static int
copy_body(struct job *job, struct smtpd_body *body)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = smtpd_body_read(body, piece, sizeof(piece))) > 0) {
		job->transaction->size += (uint64_t)n;
		if (smtpd_maildir_write(job->message, piece, (size_t)n) == -1)
			return -1;
	}
	return n == 0;
}

/* Store the message.  Return 1 when it is durable, else as copy_body(). */
static int
store(struct job *job, struct smtpd_body *body)
{
	int result = copy_body(job, body);
	int error = errno;

	if (result == 1) {
		result = smtpd_maildir_commit(job->message) == 0 ? 1 : -1;
		error = errno;
	} else {
		smtpd_maildir_abort(job->message);
	}
	if (result != -1)
		return result;
	log_failure(job, error);
	if (error == ENOENT)
		mend(job);
	errno = error;
	return -1;
}

static int
run_job(struct job *job, struct smtpd_body *body)
{
	int result;

	job->message = smtpd_maildir_begin(job->d->maildir);
	if (job->message == NULL)
		return out_of_memory(job->session);
	if (add_recipients(job) == -1) {
		int error = errno;

		smtpd_maildir_abort(job->message);
		return reply_errno(job->session, error);
	}
	result = store(job, body);
	/* Without a valid end the library knows what to answer. */
	return result == -1 ? reply_errno(job->session, errno) : 0;
}

static int
deliver(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct job job = {
		.d = user,
		.session = s,
		.envelope = envelope,
		.transaction = smtpd_session_transaction_data(s),
	};
	int code;

	job.owners = malloc(envelope->nrcpts * sizeof(*job.owners));
	if (job.owners == NULL)
		return out_of_memory(s);
	code = run_job(&job, body);
	free(job.owners);
	return code;
}

/* One line for each message. */
static void
log_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	const struct transaction *t = smtpd_session_transaction_data(s);
	const struct delivery *d = user;

	if (t == NULL ||
	    (how != SMTPD_END_DELIVERED && how != SMTPD_END_REFUSED))
		return;
	message_log(d->log, s, envelope,
	    &(struct message_info){
		.what = how == SMTPD_END_DELIVERED ? "stored" : "refused",
		.id = envelope->id,
		.size = t->size,
		.code = code,
		.begun = t->begun,
	    });
}

int
delivery_register(struct delivery *d, struct smtpd_server *srv)
{
	smtpd_server_set_deliver(srv, deliver, d);
	smtpd_server_add_events(srv,
	    &(struct smtpd_events){ .transaction_end = log_end, .user = d });
	if (smtpd_server_add_handler(srv, "MAIL", check_mail, d) == -1)
		return -1;
	return smtpd_server_add_handler(srv, "RCPT", check_rcpt, d);
}

int
delivery_init(struct delivery *d, const char *hostname, struct log *log)
{
	*d = (struct delivery){ .hostname = hostname, .log = log };
	d->maildir = smtpd_maildir_create(hostname);
	pthread_mutex_init(&d->space.guard, NULL);
	users_current_init(&d->users);
	return d->maildir != NULL ? 0 : -1;
}

void
delivery_finish(struct delivery *d)
{
	users_current_finish(&d->users);
	pthread_mutex_destroy(&d->space.guard);
	smtpd_maildir_destroy(d->maildir);
}
