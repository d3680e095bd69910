/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/session.h>

#include "loop.h"
#include "trouble.h"
#include "users_table.h"

/* The beginning of a message, which has its header, or as much of one as is
 * looked at; and what is read at a time behind it. */
#define HEAD_SIZE 65536
#define PIECE     8192

/* Return-Path, Delivered-To and Received. */
#define HEADER_SIZE (2 * SMTPD_ADDRESS_MAX + SMTPD_RECEIVED_MAX + 64)

/* One message on its way to its mailboxes. */
struct store_request {
	struct delivery *d;
	struct smtpd_session *session;
	const struct smtpd_envelope *envelope;
	struct transaction *transaction;
	struct smtpd_maildir_message *message;
	struct target *targets; /* the mailboxes that it goes to */
	size_t ntargets;
	size_t refused; /* how many recipients are */
	char *head;     /* the beginning of the message */
	size_t head_len;
};

void
store_path(
    const struct delivery *d, const struct owner *owner, char *buf, size_t size)
{
	if (mailbox_path(&d->pattern, owner, buf, size) == -1)
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

/* Add the mailbox TARGET; RECEIVED is the trace header. */
static int
add_target(
    struct store_request *r, const struct target *target, const char *received)
{
	char path[PATH_MAX], header[HEADER_SIZE];
	int error, len;

	store_path(r->d, &target->owner, path, sizeof(path));
	len = snprintf(header, sizeof(header),
	    "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s",
	    r->envelope->sender.text,
	    smtpd_envelope_rcpt(r->envelope, target->rcpt)->address.text,
	    received);
	if (add_mailbox(r, path, header, (size_t)len) == 0)
		return 0;
	error = errno;
	trouble_log(r->d->log, r->session, path, error);
	errno = error;
	return -1;
}

/* Refuse the message for recipient I alone, as T says. */
static void
refuse_recipient(struct store_request *r, size_t i, const struct trouble *t)
{
	smtpd_reply_rcpt(r->session, i, t->code, t->status, "<%s>: %s",
	    smtpd_envelope_rcpt(r->envelope, i)->address.text, t->text);
	r->transaction->recipients[i].refused = true;
	r->refused++;
}

/* Refuse it, as T says, for those who have the mailbox TARGET: all mailboxes of
 * an address get a message, or none of them. */
static void
refuse_target(struct store_request *r, const struct target *target,
    const struct trouble *t)
{
	for (size_t i = 0; i < r->envelope->nrcpts; i++)
		if (!r->transaction->recipients[i].refused &&
		    transaction_has(
			r->transaction, i, &r->d->pattern, &target->owner))
			refuse_recipient(r, i, t);
}

/* Whether the message is still for somebody: SMTP has one reply for all, which
 * refuses it then. */
static bool
is_wanted(const struct store_request *r)
{
	if (smtpd_session_lmtp(r->session))
		return r->refused < r->envelope->nrcpts;
	return r->refused == 0;
}

/* Write what all spellings of an address, LEN bytes at TEXT, have in common to
 * KEY of USERS_KEY_SIZE.  Return false when it is none. */
static bool
write_key(const char *text, size_t len, char *key)
{
	char address[USERS_KEY_SIZE], *at;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	at = strrchr(address, '@');
	if (at == NULL)
		return false;
	*at = '\0';
	return users_table_key(address, at + 1, key) != 0;
}

/* Refuse the message for recipients that had it before, LEN bytes at ADDRESS
 * being one. */
static void
refuse_again(struct store_request *r, const char *address, size_t len)
{
	static const struct trouble loop = { 554, "5.4.6",
		"Mail loop: the message was delivered to this address before" };
	char before[USERS_KEY_SIZE], now[USERS_KEY_SIZE];

	if (!write_key(address, len, before))
		return;
	for (size_t i = 0; i < r->envelope->nrcpts; i++) {
		const char *text =
		    smtpd_envelope_rcpt(r->envelope, i)->address.text;

		if (!r->transaction->recipients[i].refused &&
		    write_key(text, strlen(text), now) &&
		    strcmp(now, before) == 0)
			refuse_recipient(r, i, &loop);
	}
}

/* RFC 5321, 6.3 */
static void
refuse_loops(struct store_request *r)
{
	struct loop_scan scan;
	const char *address;
	size_t len;

	loop_begin(&scan, r->head, r->head_len);
	while ((address = loop_next(&scan, &len)) != NULL)
		refuse_again(r, address, len);
}

/* Add the mailboxes of all recipients that are not refused.  Return 0, or -1
 * after one more had to be: the message is to begin again, without that. */
static int
add_targets(struct store_request *r, const char *received)
{
	for (size_t i = 0; i < r->ntargets; i++)
		if (add_target(r, &r->targets[i], received) == -1) {
			const struct trouble t = trouble_for(errno);

			refuse_target(r, &r->targets[i], &t);
			return -1;
		}
	return 0;
}

/* Begin the message with the mailboxes that take it.  Return 0, or -1 with
 * errno ENOMEM; without a message where nobody gets it. */
static int
begin_message(struct store_request *r, const char *received)
{
	while (is_wanted(r)) {
		free(r->targets);
		r->ntargets = transaction_targets(r->transaction,
		    r->envelope->nrcpts, &r->d->pattern, &r->targets);
		if (r->targets == NULL)
			return -1;
		r->message = smtpd_maildir_begin(r->d->maildir);
		if (r->message == NULL)
			return -1;
		if (add_targets(r, received) == 0)
			return 0;
		smtpd_maildir_abort(r->message);
		r->message = NULL;
	}
	return 0;
}

static void
log_failure(struct store_request *r, int error)
{
	char path[PATH_MAX], reason[LOG_ERROR_SIZE];

	store_path(r->d, &r->targets[0].owner, path, sizeof(path));
	log_line(r->d->log, SMTPD_LOG_ERROR,
	    "id=%s session=%llu cannot store in %s and %zu more: %s",
	    r->envelope->id, (unsigned long long)smtpd_session_id(r->session),
	    path, r->ntargets - 1, log_error(error, reason, sizeof(reason)));
}

/* Read the beginning of the message.  Return 1, or 0 when it has no valid
 * end. */
static int
read_head(struct store_request *r, struct smtpd_body *body)
{
	ssize_t n = 1;

	while (n > 0 && r->head_len < HEAD_SIZE) {
		n = smtpd_body_read(
		    body, r->head + r->head_len, HEAD_SIZE - r->head_len);
		if (n > 0)
			r->head_len += (size_t)n;
	}
	return n >= 0;
}

/* Copy the message to its mailboxes.  Return 1 when it is whole there, 0 when
 * it has no valid end, -1 with errno. */
static int
copy_body(struct store_request *r, struct smtpd_body *body)
{
	char piece[PIECE];
	ssize_t n;

	if (smtpd_maildir_write(r->message, r->head, r->head_len) == -1)
		return -1;
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

/* Store the message for all who can have it.  Return as store_body(), and 0
 * when nobody can. */
static int
store_for_all(struct store_request *r, struct smtpd_body *body)
{
	char received[SMTPD_RECEIVED_MAX];
	int result = read_head(r, body);

	if (result == 0)
		return 0;
	refuse_loops(r);
	if (smtpd_session_received(r->session, received, sizeof(received)) ==
	    -1) {
		errno = EMSGSIZE;
		return -1;
	}
	if (begin_message(r, received) == -1)
		return -1;
	return r->message != NULL ? store_body(r, body) : 0;
}

int
store_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct store_request r = {
		.d = user,
		.session = s,
		.envelope = envelope,
		.transaction = smtpd_session_transaction_data(s),
		.head = malloc(HEAD_SIZE),
	};
	int error, result;

	if (r.head == NULL)
		return trouble_reply(s, ENOMEM);
	result = store_for_all(&r, body);
	error = errno;
	free(r.targets);
	free(r.head);
	/* Without a valid end the library knows what to answer, and where
	 * recipients were refused, that is the answer. */
	return result == -1 ? trouble_reply(s, error) : 0;
}
