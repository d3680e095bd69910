/* SPDX-License-Identifier: MIT */
#include "submission.h"

#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "message_log.h"

/* The sender must be an address of the user (RFC 6409, 6.1).  The null sender
 * is nobody's: it sends notes that a message was read (RFC 8098, 3). */
static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const char *name = smtpd_session_user(s);
	struct submission *sub = user;
	struct forward *f;

	if (*c->address->text != '\0' &&
	    !accounts_owns(&sub->accounts, name, c->address))
		return smtpd_reply(s, 550, "5.7.1",
		    "<%s> is not an address of user %s: choose another sender, "
		    "or ask the postmaster to allow it",
		    c->address->text, name);
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return smtpd_reply(
		    s, 451, "4.3.0", "Out of memory, try again later");
	clock_gettime(CLOCK_MONOTONIC, &f->begun);
	smtpd_session_set_transaction_data(s, f, free);
	return 0;
}

/* One more recipient of the user of S, as many as they may have. */
static int
take_allowance(struct smtpd_session *s, struct submission *sub)
{
	struct timespec now;
	uint64_t limit;
	int64_t wait;

	clock_gettime(CLOCK_MONOTONIC, &now);
	wait = allowances_take(sub->allowances, smtpd_session_user(s),
	    (int64_t)now.tv_sec, &limit);
	if (wait == 0)
		return 0;
	if (wait == -1)
		return smtpd_reply(
		    s, 451, "4.3.0", "Out of memory, try again later");
	return smtpd_reply(s, 450, "4.7.1",
	    "You have sent to %llu recipients, as many as you may for now: try "
	    "again in %lld minutes, or ask the postmaster for more",
	    (unsigned long long)limit, (long long)(wait / 60 + 1));
}

/* Any recipient whose domain others know too (RFC 6409, 4.2). */
static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	const char *domain = c->address->domain;

	if (*domain == '\0' || c->address->literal ||
	    strchr(domain, '.') != NULL)
		return take_allowance(s, user);
	return smtpd_reply(s, 554, "5.1.2",
	    "The domain of <%s> is not complete: it has no dot",
	    c->address->text);
}

static void
log_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	const struct forward *f = smtpd_session_transaction_data(s);
	const struct submission *sub = user;

	if (f == NULL ||
	    (how != SMTPD_END_DELIVERED && how != SMTPD_END_REFUSED))
		return;
	message_log(sub->log, s, envelope,
	    &(struct message_info){
		.what = how == SMTPD_END_DELIVERED ? "queued" : "refused",
		.id = f->id[0] != '\0' ? f->id : envelope->id,
		.code = code,
		.size = envelope->octets,
		.begun = f->begun,
	    });
}

int
submission_register(struct submission *sub, struct smtpd_server *srv)
{
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.transaction_end = log_end,
		.user = sub,
	};

	if (smtpd_server_set_deliver(srv, forward_deliver, sub) == -1 ||
	    smtpd_server_add_events(srv, &events) == -1 ||
	    smtpd_server_add_handler(srv, "MAIL", check_mail, sub) == -1)
		return -1;
	return smtpd_server_add_handler(srv, "RCPT", check_rcpt, sub);
}
