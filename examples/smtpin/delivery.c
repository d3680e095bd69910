/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <smtpd/session.h>

#include "message_log.h"
#include "store.h"
#include "transaction.h"
#include "trouble.h"

/* How many mailboxes recipients may have in all beyond one for each: what a
 * client can do with a map that has many aliases is bounded. */
#define EXTRA_MAX 10000

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
		return trouble_reply(s, ENOSPC);
	}
	t = transaction_create(users_current_get(&d->users));
	if (t == NULL)
		return trouble_reply(s, ENOMEM);
	smtpd_session_set_transaction_data(s, t, transaction_free);
	return 0;
}

uint64_t
delivery_quota(const struct delivery *d, const struct owner *owner)
{
	return owner->quota != USERS_QUOTA_OPEN ? owner->quota : d->quota;
}

struct quota_request
delivery_request(const struct delivery *d, const struct smtpd_session *s,
    const struct owner *owner, uint64_t size)
{
	return (struct quota_request){
		.limit = delivery_quota(d, owner),
		.size = size,
		.peer = smtpd_session_peer(s),
		.sender = smtpd_session_envelope(s)->sender.text,
	};
}

/* Check that the message has room in the mailbox PATH.  Return 0, or -1 with
 * errno. */
static int
check_room(
    const struct delivery *d, const char *path, struct quota_request *request)
{
	struct quota *quota;

	if (smtpd_maildir_check(path, d->pattern.root_len, request->size) == -1)
		return -1;
	if (request->limit == 0)
		return 0;
	quota = quotas_find(d->quotas, path, d->pattern.root_len);
	errno = ENOMEM;
	return quota != NULL ? quota_check(quota, request) : -1;
}

/* See that the mailbox of OWNER can be delivered to, and make it if there is
 * none yet: one in trouble is told from others while the client can still be
 * told of its recipient alone. */
static int
check_mailbox(struct smtpd_session *s, const struct delivery *d,
    const struct owner *owner)
{
	struct quota_request request =
	    delivery_request(d, s, owner, smtpd_session_envelope(s)->size);
	char path[PATH_MAX];
	int error;

	if (mailbox_path(&d->pattern, owner->user, owner->domain, path,
		sizeof(path)) == -1)
		return trouble_reply(s, ENAMETOOLONG);
	if (check_room(d, path, &request) == 0)
		return 0;
	if (errno == ENOENT &&
	    smtpd_maildir_make(path, d->pattern.root_len) == 0 &&
	    check_room(d, path, &request) == 0)
		return 0;
	error = errno;
	trouble_log(d->log, s,
	    &(struct trouble_place){ path, owner->user, &request }, error);
	return trouble_reply(s, error);
}

/* Keep OWNERS as those of the recipient that comes next, if all of their
 * mailboxes can be delivered to: the client has one reply for them. */
static int
accept_owners(struct smtpd_session *s, const struct delivery *d,
    const struct owners *owners)
{
	struct transaction *t = smtpd_session_transaction_data(s);
	size_t nrcpts = smtpd_session_envelope(s)->nrcpts;
	int code = 0;

	if (owners->count - 1 + transaction_extra(t, nrcpts) > EXTRA_MAX)
		return smtpd_reply(s, 452, "4.5.3",
		    "Too many mailboxes behind these recipients, send the "
		    "message for the others again");
	if (transaction_keep(t, nrcpts, owners) == -1)
		return trouble_reply(s, ENOMEM);
	for (size_t i = 0; i < owners->count && code == 0; i++) {
		const struct owner owner =
		    transaction_owner(&d->pattern, owners, i);

		code = check_mailbox(s, d, &owner);
	}
	return code;
}

static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct transaction *t = smtpd_session_transaction_data(s);
	const struct delivery *d = user;
	struct owners owners;

	switch (users_find(t->users, c->address, d->hostname, &owners)) {
	case USERS_FOUND:
		return accept_owners(s, d, &owners);
	case USERS_UNKNOWN:
		return smtpd_reply(
		    s, 550, "5.1.1", "<%s>: User unknown", c->address->text);
	case USERS_FOREIGN:
		return smtpd_reply(s, 550, "5.7.1",
		    "<%s>: Domain not handled by this server",
		    c->address->text);
	case USERS_RELAY:
		break;
	}
	return smtpd_reply(
	    s, 550, "5.7.1", "<%s>: Relaying denied", c->address->text);
}

/* The places of the mailboxes of a transaction. */
struct place_request {
	const struct delivery *d;
	const struct transaction *transaction;
};

/* Write the path of mailbox K of recipient I to BUF of SIZE bytes. */
static bool
write_place(void *request, size_t i, size_t k, char *buf, size_t size)
{
	const struct place_request *r = request;
	const struct recipient *rcpt = &r->transaction->recipients[i];
	const struct owners *owners = &rcpt->owners;
	struct owner owner;

	if (rcpt->left_out || k >= owners->count)
		return false;
	owner = transaction_owner(&r->d->pattern, owners, k);
	store_path(r->d, &owner, buf, size);
	return true;
}

/* Log one line for each recipient. */
static void
log_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	struct transaction *t = smtpd_session_transaction_data(s);
	struct delivery *d = user;
	struct place_request r = { d, t };

	/* By BDAT a message can come for nobody. */
	if (envelope->nrcpts > 0)
		code = smtpd_envelope_code(envelope, 0);
	if (t == NULL ||
	    (how != SMTPD_END_DELIVERED && how != SMTPD_END_REFUSED))
		return;
	message_log(d->log, s, envelope,
	    &(struct message_info){
		.what = code < 300 ? "stored" : "refused",
		.id = envelope->id,
		.code = envelope->nrcpts > 0 ? 0 : code,
		.size = envelope->octets,
		.begun = t->begun,
		.place = write_place,
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
	if (d->maildir == NULL)
		return -1;
	d->quotas = quotas_create();
	return d->quotas != NULL ? 0 : -1;
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
	quotas_destroy(d->quotas);
	smtpd_maildir_destroy(d->maildir);
}
