/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/session.h>

#include "message_log.h"

/* Read from the client at a time. */
#define PIECE 8192

/* Return-Path, Delivered-To and Received. */
#define HEADER_SIZE (2 * SMTPD_ADDRESS_MAX + SMTPD_RECEIVED_MAX + 64)

/* The data of a transaction. */
struct transaction {
	struct users *users;  /* the map that its recipients were found in */
	struct owner *owners; /* of the recipients' mailboxes, in their order */
	size_t owners_cap;
	struct timespec begun;
};

/* One message on its way to its mailboxes. */
struct store_request {
	struct delivery *d;
	struct smtpd_session *session;
	const struct smtpd_envelope *envelope;
	struct transaction *transaction;
	struct smtpd_maildir_message *message;
	size_t mailboxes; /* how many were added to it */
};

static int
reply_no_memory(struct smtpd_session *s)
{
	return smtpd_reply(s, 451, "4.3.0", "Out of memory, try again later");
}

static int
reply_no_space(struct smtpd_session *s)
{
	return smtpd_reply(
	    s, 452, "4.3.1", "Insufficient disk space, try again later");
}

/* Tell the client what ERROR, an errno, means for it: local trouble is never
 * its fault, and never permanent. */
static int
reply_errno(struct smtpd_session *s, int error)
{
	switch (error) {
	case ENOSPC:
		return reply_no_space(s);
	case EDQUOT:
	case EFBIG:
		return smtpd_reply(
		    s, 452, "4.2.2", "Mailbox full, try again later");
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case ELOOP:
	case EROFS:
	case ENAMETOOLONG:
		return smtpd_reply(
		    s, 451, "4.3.5", "Mailbox not available, try again later");
	default:
		return smtpd_reply(s, 451, "4.3.0",
		    "Message could not be stored, try again later");
	}
}

static void
transaction_free(void *data)
{
	struct transaction *t = data;

	users_release(t->users);
	free(t->owners);
	free(t);
}

static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	struct delivery *d = user;
	struct transaction *t;

	(void)c;
	if (!smtpd_maildir_has_room(d->maildir, envelope->size)) {
		log_line(d->log, SMTPD_LOG_ERROR,
		    "id=%s session=%llu no space for %llu bytes under %.*s: "
		    "%llu bytes and a twentieth of the inodes are kept free, "
		    "mail is refused with 452 until then",
		    envelope->id, (unsigned long long)smtpd_session_id(s),
		    (unsigned long long)envelope->size,
		    (int)d->pattern.root_len, d->pattern.text,
		    (unsigned long long)d->min_free);
		return reply_no_space(s);
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return reply_no_memory(s);
	t->users = users_current_get(&d->users);
	clock_gettime(CLOCK_MONOTONIC, &t->begun);
	smtpd_session_set_transaction_data(s, t, transaction_free);
	return 0;
}

/* Keep OWNER as that of recipient I.  Return 0, or -1 without memory. */
static int
keep_owner(struct transaction *t, size_t i, const struct owner *owner)
{
	struct owner *owners;
	size_t cap = i < 4 ? 4 : 2 * i;

	if (i >= t->owners_cap) {
		owners = realloc(t->owners, cap * sizeof(*owners));
		if (owners == NULL)
			return -1;
		t->owners = owners;
		t->owners_cap = cap;
	}
	t->owners[i] = *owner;
	return 0;
}

/* Say that the mailbox PATH cannot be used, because of ERROR. */
static void
log_mailbox(const struct delivery *d, const struct smtpd_session *s,
    const char *path, int error)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	char reason[LOG_ERROR_SIZE];

	log_line(d->log, SMTPD_LOG_ERROR,
	    "id=%s session=%llu cannot deliver to %s: %s", envelope->id,
	    (unsigned long long)smtpd_session_id(s), path,
	    log_error(error, reason, sizeof(reason)));
}

/* See that the mailbox PATH can be delivered to, and make it if there is none
 * yet: one in trouble is told from others while the client can still be told
 * of its recipient alone. */
static int
check_mailbox(
    struct smtpd_session *s, const struct delivery *d, const char *path)
{
	const struct smtpd_envelope *envelope = smtpd_session_envelope(s);
	size_t root = d->pattern.root_len;
	int error;

	if (smtpd_maildir_check(path, root, envelope->size) == 0)
		return 0;
	if (errno == ENOENT && smtpd_maildir_make(path, root) == 0 &&
	    smtpd_maildir_check(path, root, envelope->size) == 0)
		return 0;
	error = errno;
	log_mailbox(d, s, path, error);
	return reply_errno(s, error);
}

static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct transaction *t = smtpd_session_transaction_data(s);
	const struct delivery *d = user;
	struct owner owner;
	char path[PATH_MAX];

	switch (users_find(t->users, c->address, d->hostname, &owner)) {
	case USERS_FOUND:
		break;
	case USERS_UNKNOWN:
		return smtpd_reply(
		    s, 550, "5.1.1", "<%s>: User unknown", c->address->text);
	case USERS_FOREIGN:
		return smtpd_reply(s, 550, "5.7.1",
		    "<%s>: Domain not handled by this server",
		    c->address->text);
	case USERS_RELAY:
		return smtpd_reply(
		    s, 550, "5.7.1", "<%s>: Relaying denied", c->address->text);
	}
	if (mailbox_path(&d->pattern, &owner, path, sizeof(path)) == -1)
		return reply_errno(s, ENAMETOOLONG);
	if (keep_owner(t, smtpd_session_envelope(s)->nrcpts, &owner) == -1)
		return reply_no_memory(s);
	return check_mailbox(s, d, path);
}

/* Whether recipient I has the mailbox of one before it. */
static bool
is_repeated(const struct store_request *r, size_t i)
{
	const struct owner *owners = r->transaction->owners;

	for (size_t k = 0; k < i; k++)
		if (strcmp(owners[k].user, owners[i].user) == 0 &&
		    (!r->d->pattern.by_domain ||
			strcmp(owners[k].domain, owners[i].domain) == 0))
			return true;
	return false;
}

/* Write the path of the mailbox of recipient I to BUF of SIZE bytes; PATH_MAX
 * are enough, as it fitted at RCPT. */
static void
write_path(void *request, size_t i, char *buf, size_t size)
{
	const struct store_request *r = request;

	if (mailbox_path(
		&r->d->pattern, &r->transaction->owners[i], buf, size) == -1)
		buf[0] = '\0';
}

/* Add the mailbox PATH, and make it if there is none yet. */
static int
add_mailbox(
    struct store_request *r, const char *path, const char *header, size_t len)
{
	size_t root = r->d->pattern.root_len;

	if (smtpd_maildir_add(r->message, path, root, header, len) == 0)
		return 0;
	if (errno != ENOENT || smtpd_maildir_make(path, root) == -1)
		return -1;
	return smtpd_maildir_add(r->message, path, root, header, len);
}

/* Add the mailbox of recipient I; RECEIVED is the trace header. */
static int
add_recipient(struct store_request *r, size_t i, const char *received)
{
	char path[PATH_MAX], header[HEADER_SIZE];
	int error, len;

	write_path(r, i, path, sizeof(path));
	len = snprintf(header, sizeof(header),
	    "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s",
	    r->envelope->sender.text,
	    smtpd_envelope_rcpt(r->envelope, i)->address.text, received);
	if (add_mailbox(r, path, header, (size_t)len) == 0) {
		r->mailboxes++;
		return 0;
	}
	error = errno;
	log_mailbox(r->d, r->session, path, error);
	errno = error;
	return -1;
}

static int
add_recipients(struct store_request *r)
{
	char received[SMTPD_RECEIVED_MAX];

	if (smtpd_session_received(r->session, received, sizeof(received)) ==
	    -1) {
		errno = EMSGSIZE;
		return -1;
	}
	for (size_t i = 0; i < r->envelope->nrcpts; i++)
		if (!is_repeated(r, i) && add_recipient(r, i, received) == -1)
			return -1;
	return 0;
}

static void
log_failure(struct store_request *r, int error)
{
	char path[PATH_MAX], reason[LOG_ERROR_SIZE];

	write_path(r, 0, path, sizeof(path));
	log_line(r->d->log, SMTPD_LOG_ERROR,
	    "id=%s session=%llu cannot store in %s and %zu more: %s",
	    r->envelope->id, (unsigned long long)smtpd_session_id(r->session),
	    path, r->mailboxes - 1, log_error(error, reason, sizeof(reason)));
}

/* Copy the message to its mailboxes.  Return 1 when it is whole there, 0 when
 * it has no valid end, -1 with errno. */
static int
copy_body(struct store_request *r, struct smtpd_body *body)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = smtpd_body_read(body, piece, sizeof(piece))) > 0) {
		if (smtpd_maildir_write(r->message, piece, (size_t)n) == -1)
			return -1;
	}
	return n == 0;
}

/* Store the message.  Return 1 when it is durable, else as copy_body(). */
static int
store_body(struct store_request *r, struct smtpd_body *body)
{
	int result = copy_body(r, body);
	int error = errno;

	if (result == 1) {
		result = smtpd_maildir_commit(r->message) == 0 ? 1 : -1;
		error = errno;
	} else {
		smtpd_maildir_abort(r->message);
	}
	if (result == -1)
		log_failure(r, error);
	errno = error;
	return result;
}

static int
store_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct store_request r = {
		.d = user,
		.session = s,
		.envelope = envelope,
		.transaction = smtpd_session_transaction_data(s),
	};

	r.message = smtpd_maildir_begin(r.d->maildir);
	if (r.message == NULL)
		return reply_no_memory(s);
	if (add_recipients(&r) == -1) {
		int error = errno;

		smtpd_maildir_abort(r.message);
		return reply_errno(s, error);
	}
	/* Without a valid end the library knows what to answer. */
	return store_body(&r, body) == -1 ? reply_errno(s, errno) : 0;
}

/* Log one line for each recipient. */
static void
log_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	struct transaction *t = smtpd_session_transaction_data(s);
	struct delivery *d = user;
	struct store_request r = { .d = d, .transaction = t };

	if (t == NULL ||
	    (how != SMTPD_END_DELIVERED && how != SMTPD_END_REFUSED))
		return;
	message_log(d->log, s, envelope,
	    &(struct message_info){
		.what = how == SMTPD_END_DELIVERED ? "stored" : "refused",
		.id = envelope->id,
		.size = envelope->octets,
		.code = code,
		.begun = t->begun,
		.place = write_path,
		.user = &r,
	    });
}

int
delivery_register(struct delivery *d, struct smtpd_server *srv)
{
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.transaction_end = log_end,
		.user = d,
	};

	if (smtpd_server_set_deliver(srv, store_message, d) == -1 ||
	    smtpd_server_add_events(srv, &events) == -1 ||
	    smtpd_server_add_handler(srv, "MAIL", check_mail, d) == -1)
		return -1;
	return smtpd_server_add_handler(srv, "RCPT", check_rcpt, d);
}

int
delivery_open(struct delivery *d)
{
	char root[PATH_MAX];
	struct smtpd_maildir_settings settings = {
		SMTPD_MAILDIR_SETTINGS_INIT,
		.hostname = d->hostname,
		.root = root,
		.min_free = d->min_free,
	};

	if (mailbox_root(&d->pattern, root, sizeof(root)) == -1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	d->maildir = smtpd_maildir_create(&settings);
	return d->maildir != NULL ? 0 : -1;
}

void
delivery_init(struct delivery *d, const char *hostname, struct log *log)
{
	*d = (struct delivery){ .hostname = hostname, .log = log };
	users_current_init(&d->users);
}

void
delivery_finish(struct delivery *d)
{
	users_current_finish(&d->users);
	smtpd_maildir_destroy(d->maildir);
}
