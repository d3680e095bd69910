/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/session.h>

#include "trouble.h"
#include "users_table.h"

/* What is read of a message at a time. */
#define PIECE 8192

/* One message on its way to its mailboxes. */
struct store_request {
	struct delivery *d;
	struct smtpd_session *session;
	const struct smtpd_envelope *envelope;
	struct transaction *transaction;
	struct smtpd_maildir_message *message;
	struct target *targets; /* the mailboxes that it goes to */
	size_t ntargets;
	bool wanted; /* there is a recipient that it is still for */
};

void
store_path(
    const struct delivery *d, const struct owner *owner, char *buf, size_t size)
{
	if (mailbox_path(&d->pattern, owner->user, owner->domain, buf, size) ==
	    -1)
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

/* Add the mailbox TARGET. */
static int
add_target(struct store_request *r, const struct target *target)
{
	char path[PATH_MAX], header[SMTPD_TRACE_MAX];
	int error, len;

	store_path(r->d, &target->owner, path, sizeof(path));
	len = smtpd_session_trace(r->session,
	    smtpd_envelope_rcpt(r->envelope, target->rcpt), header,
	    sizeof(header));
	if (len != -1 && add_mailbox(r, path, header, (size_t)len) == 0)
		return 0;
	error = errno;
	trouble_log(r->d->log, r->session,
	    &(struct trouble_place){ path, target->owner.user, NULL }, error);
	errno = error;
	return -1;
}

/* Refuse the message for recipient I alone, as T says. */
static void
refuse_recipient(struct store_request *r, size_t i, const struct trouble *t)
{
	const char *to = smtpd_envelope_rcpt(r->envelope, i)->address.text;

	r->wanted = smtpd_reply_rcpt(
	    r->session, i, t->code, t->status, "<%s>: %s", to, t->text);
	r->transaction->recipients[i].left_out = true;
}

/* Whether a recipient that is not left out has the mailbox TARGET. */
static bool
is_wanted(const struct store_request *r, const struct target *target)
{
	for (size_t i = 0; i < r->envelope->nrcpts; i++)
		if (!r->transaction->recipients[i].left_out &&
		    transaction_has(
			r->transaction, i, &r->d->pattern, &target->owner))
			return true;
	return false;
}

/* What the client is told where a mailbox cannot have the message because of
 * ERROR: one that is too large for this mailbox alone may be for others, so it
 * comes again, and they get it then. */
static int
told_error(const struct store_request *r, int error)
{
	bool others =
	    r->envelope->nrcpts > 1 && !smtpd_session_lmtp(r->session);

	return error == EMSGSIZE && others ? EDQUOT : error;
}

/* Refuse it, because of ERROR, for those who have the mailbox TARGET: all
 * mailboxes of an address get a message, or none of them. */
static void
refuse_target(struct store_request *r, const struct target *target, int error)
{
	struct trouble t = trouble_for(told_error(r, error));

	for (size_t i = 0; i < r->envelope->nrcpts; i++)
		if (!r->transaction->recipients[i].left_out &&
		    transaction_has(
			r->transaction, i, &r->d->pattern, &target->owner))
			refuse_recipient(r, i, &t);
}

/* Write what all spellings of ADDRESS, which is cut in two, have in common to
 * KEY of ADDRESS_KEY_SIZE.  Return false when it is none. */
static bool
write_key(char *address, char *key)
{
	char *at = strrchr(address, '@');

	if (at == NULL)
		return false;
	*at = '\0';
	return address_key(address, at + 1, key) != 0;
}

/* Refuse the message for recipients that had it before, KEY being that of
 * one. */
static void
refuse_again(struct store_request *r, const char *key)
{
	static const struct trouble loop = { 554, "5.4.6",
		"Mail loop: the message was delivered to this address before" };
	char address[SMTPD_ADDRESS_MAX], now[ADDRESS_KEY_SIZE];

	for (size_t i = 0; i < r->envelope->nrcpts; i++) {
		snprintf(address, sizeof(address), "%s",
		    smtpd_envelope_rcpt(r->envelope, i)->address.text);
		if (!r->transaction->recipients[i].left_out &&
		    write_key(address, now) && strcmp(now, key) == 0)
			refuse_recipient(r, i, &loop);
	}
}

/* Refuse what comes to an address again that has delivered it before (RFC 5321,
 * 6.3).  Return 0, or -1 as smtpd_body_header(). */
static int
refuse_loops(struct store_request *r, struct smtpd_body *body)
{
	char address[ADDRESS_KEY_SIZE], key[ADDRESS_KEY_SIZE];
	struct smtpd_header_field field;
	size_t left;
	const char *at = smtpd_body_header(body, &left);

	if (at == NULL)
		return -1;
	while (smtpd_header_next(&at, &left, &field))
		if (smtpd_header_is(&field, "Delivered-To") &&
		    smtpd_header_value(&field, address, sizeof(address)) !=
			-1 &&
		    write_key(address, key))
			refuse_again(r, key);
	return 0;
}

/* Add the mailboxes of all recipients that are not left out.  Return 0, or -1
 * after one more had to be: the message is to begin again, without that. */
static int
add_targets(struct store_request *r)
{
	for (size_t i = 0; i < r->ntargets; i++)
		if (add_target(r, &r->targets[i]) == -1) {
			refuse_target(r, &r->targets[i], errno);
			return -1;
		}
	return 0;
}

/* Mailbox I cannot have the message, because of ERROR, or of its quota, which
 * was asked REQUEST.  Return whether there are others. */
static bool
drop_target(struct store_request *r, size_t i, int error,
    const struct quota_request *request)
{
	char path[PATH_MAX];

	store_path(r->d, &r->targets[i].owner, path, sizeof(path));
	trouble_log(r->d->log, r->session,
	    &(struct trouble_place){ path, r->targets[i].owner.user, request },
	    error);
	refuse_target(r, &r->targets[i], error);
	for (size_t k = 0; k < r->ntargets && r->wanted; k++)
		if (!r->targets[k].dropped && !is_wanted(r, &r->targets[k])) {
			r->targets[k].dropped = true;
			smtpd_maildir_drop(r->message, k);
		}
	return r->wanted;
}

static bool
target_failed(void *request, size_t i, int error)
{
	return drop_target(request, i, error, NULL);
}

/* Begin the message with the mailboxes that take it.  Return 0, or -1 with
 * errno ENOMEM; without a message where nobody gets it. */
static int
begin_message(struct store_request *r)
{
	while (r->wanted) {
		free(r->targets);
		r->ntargets = transaction_targets(r->transaction,
		    r->envelope->nrcpts, &r->d->pattern, &r->targets);
		if (r->targets == NULL)
			return -1;
		r->message = smtpd_maildir_begin(r->d->maildir);
		if (r->message == NULL)
			return -1;
		smtpd_maildir_set_failed(r->message, target_failed, r);
		if (add_targets(r) == 0)
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

/* Reserve room for the message in the quota of TARGET, which is asked REQUEST.
 * Return 0, or -1 with errno. */
static int
reserve_room(struct store_request *r, struct target *target,
    struct quota_request *request)
{
	struct quota *quota;
	char path[PATH_MAX];
	int error;

	if (request->limit == 0 || target->dropped)
		return 0;
	store_path(r->d, &target->owner, path, sizeof(path));
	quota = quotas_find(r->d->quotas, path, r->d->pattern.root_len);
	errno = ENOMEM;
	if (quota == NULL)
		return -1;
	if (quota_reserve(quota, request) == 0) {
		target->quota = quota;
		target->size = request->size;
		return 0;
	}
	error = errno;
	if (told_error(r, error) == EDQUOT)
		quota_remember(quota, request);
	errno = error;
	return -1;
}

/* Record in the quotas where room was reserved that the message is stored, or
 * is not. */
static void
record_quotas(struct store_request *r, bool stored)
{
	for (size_t i = 0; i < r->ntargets; i++) {
		const struct target *target = &r->targets[i];

		if (target->quota != NULL)
			quota_record(target->quota, target->size,
			    stored && !target->dropped);
	}
}

/* Commit the message, of which all has arrived, where it has room.  Return 1
 * when it is durable, or -1 with errno. */
static int
commit_message(struct store_request *r)
{
	bool wanted = true;
	int result;

	for (size_t i = 0; i < r->ntargets && wanted; i++) {
		struct quota_request request =
		    delivery_request(r->d, r->session, &r->targets[i].owner,
			smtpd_maildir_size(r->message, i));

		if (reserve_room(r, &r->targets[i], &request) == -1)
			wanted = drop_target(r, i, errno, &request);
	}
	if (!wanted) {
		smtpd_maildir_abort(r->message);
		errno = EDQUOT;
		result = -1;
	} else {
		result = smtpd_maildir_commit(r->message) == 0 ? 1 : -1;
	}
	record_quotas(r, result == 1);
	return result;
}

/* Store the message.  Return 1 when it is durable, 0 when it has no valid end
 * or is for nobody any more, -1 with errno. */
static int
store_body(struct store_request *r, struct smtpd_body *body)
{
	int result = copy_body(r, body);
	int error = errno;

	if (result == 1) {
		result = commit_message(r);
		error = errno;
	} else {
		smtpd_maildir_abort(r->message);
	}
	if (!r->wanted)
		return 0;
	if (result == -1)
		log_failure(r, error);
	errno = error;
	return result;
}

/* Leave out whom a filter removed: they are answered as the others are. */
static void
leave_removed_out(struct store_request *r)
{
	for (size_t i = 0; i < r->envelope->nrcpts; i++)
		r->transaction->recipients[i].left_out =
		    smtpd_envelope_rcpt(r->envelope, i)->removed;
}

/* Store the message for all who can have it.  Return as store_body(), and 0
 * when nobody can. */
static int
store_for_all(struct store_request *r, struct smtpd_body *body)
{
	leave_removed_out(r);
	if (refuse_loops(r, body) == -1)
		return errno == EIO ? 0 : -1;
	if (begin_message(r) == -1)
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
		.wanted = true,
	};
	int result, error;

	/* There is no place for what an operator is to look at first. */
	if (envelope->quarantine != NULL)
		return smtpd_reply(s, 550, "5.7.1", "Message quarantined: %s",
		    envelope->quarantine);
	result = store_for_all(&r, body);
	error = errno;
	free(r.targets);
	/* Without a valid end the library knows what to answer, and where
	 * recipients were refused, that is the answer. */
	return result == -1 ? trouble_reply(s, error) : 0;
}
