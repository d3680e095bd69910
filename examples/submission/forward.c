/* SPDX-License-Identifier: MIT */
#include "forward.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/client.h>

#include "author.h"
#include "submission.h"

/* How long smtpout may take: a client that people wait for should have its
 * answer within two minutes (RFC 6409). */
#define ANSWER_MS 30000
#define DOT_MS    90000

/* The message as it goes on: Received, and what the client sends. */
struct content {
	char received[SMTPD_RECEIVED_MAX];
	size_t at, len; /* of received */
	struct smtpd_body *body;
};

static ssize_t
read_content(void *user, void *buf, size_t size)
{
	struct content *c = user;
	size_t n = c->len - c->at;

	if (n == 0)
		return smtpd_body_read(c->body, buf, size);
	if (n > size)
		n = size;
	memcpy(buf, c->received + c->at, n);
	c->at += n;
	return (ssize_t)n;
}

/* Set RCPTS to those of E; only <postmaster>, who is at HOME, has no domain. */
static void
set_rcpts(const struct smtpd_envelope *e, const char *home,
    struct smtpd_outgoing_rcpt *rcpts)
{
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct smtpd_rcpt *r = smtpd_envelope_rcpt(e, i);

		rcpts[i] = (struct smtpd_outgoing_rcpt){
			SMTPD_OUTGOING_RCPT_INIT,
			.address = r->address.domain[0] != '\0'
			    ? r->address.text
			    : home,
			.notify = smtpd_params_value(r->params, "NOTIFY"),
			.orcpt = smtpd_params_value(r->params, "ORCPT"),
		};
	}
}

/* Return how many recipients the server of C takes in one transaction (RFC
 * 9422, 3).  A message that only some of them got would come to them again when
 * the client, which has one reply for all, tries again. */
static unsigned long
max_rcpts(const struct smtpd_client *c)
{
	static const char name[] = "RCPTMAX=";
	const char *limits = smtpd_client_offers(c, "LIMITS");
	const char *found = limits != NULL ? strstr(limits, name) : NULL;

	return found != NULL ? strtoul(found + strlen(name), NULL, 10)
			     : ULONG_MAX;
}

/* Send the message of S over C, which is connected. */
static void
send_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    const struct smtpd_outgoing_rcpt *rcpts, struct content *content,
    struct smtpd_client *c)
{
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = e->sender.text,
		.rcpts = rcpts,
		.nrcpts = e->nrcpts,
		.ret = smtpd_params_value(e->params, "RET"),
		.envid = smtpd_params_value(e->params, "ENVID"),
		.eight_bit = e->encoding == SMTPD_ENCODING_8BITMIME,
		.utf8 = e->smtputf8,
	};
	const struct smtpd_outgoing message = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.read = read_content,
		.read_user = content,
		/* The client has one reply for all. */
		.all_or_none = true,
	};
	int len = smtpd_session_received(
	    s, content->received, sizeof(content->received));

	content->len = len > 0 ? (size_t)len : 0;
	smtpd_client_send(c, &message);
	smtpd_client_quit(c);
}

/* Whether R is of a recipient that smtpout accepted, but not another: the reply
 * to the message is for the other. */
static bool
is_withheld(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_TEMPORARY && r->code == 0 &&
	    r->phase == SMTPD_PHASE_RCPT && strcmp(r->status, "4.5.0") == 0;
}

/* Reply for the recipients that smtpout refused, and keep the id that it gave
 * the message. */
static int
reply_results(struct smtpd_session *s, const struct smtpd_envelope *e,
    const struct smtpd_client *c)
{
	struct forward *f = smtpd_session_transaction_data(s);
	const char *id;

	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct smtpd_result *r = smtpd_client_rcpt_result(c, i);
		bool never = r->outcome == SMTPD_OUTCOME_PERMANENT;

		if (is_withheld(r))
			continue;
		if (r->outcome != SMTPD_OUTCOME_SENT)
			smtpd_reply_rcpt(s, i, never ? 554 : 451,
			    r->status[0] == (never ? '5' : '4') ? r->status
								: NULL,
			    "<%s>: the mail queue says: %s",
			    smtpd_envelope_rcpt(e, i)->address.text, r->text);
		else if ((id = strstr(r->text, "id=")) != NULL)
			snprintf(f->id, sizeof(f->id), "%s", id + 3);
	}
	return smtpd_reply(
	    s, 250, "2.0.0", "Queued, id=%s", f->id[0] != '\0' ? f->id : e->id);
}

/* Refuse BODY if it says that it is from somebody else (RFC 6409, 6.1): readers
 * believe that.  Return 0, or the code of the reply. */
static int
check_author(
    struct smtpd_session *s, struct submission *sub, struct smtpd_body *body)
{
	const char *user = smtpd_session_user(s), *header;
	char what[AUTHOR_WHAT_SIZE];
	size_t len;

	header = smtpd_body_header(body, &len);
	if (header == NULL && errno == EIO)
		return smtpd_reply(s, 451, "4.3.0", "The message has no end");
	switch (header != NULL
		? author_check(&sub->accounts, user, header, len, what)
		: AUTHOR_MEMORY) {
	case AUTHOR_FOREIGN:
		return smtpd_reply(s, 550, "5.7.1",
		    "The message is from <%s>, which is not an address of user "
		    "%s: choose another, or ask the postmaster to allow it",
		    what, user);
	case AUTHOR_SYNTAX:
		return smtpd_reply(s, 554, "5.6.0",
		    "The field %s of the message is no list of addresses",
		    what);
	case AUTHOR_TOO_LONG:
		return smtpd_reply(s, 554, "5.6.0",
		    "The header of the message is too long (limit %d octets)",
		    SMTPD_BODY_HEADER_MAX);
	case AUTHOR_MEMORY:
		return smtpd_reply(
		    s, 451, "4.3.0", "Out of memory, try again later");
	case AUTHOR_RIGHT:
		break;
	}
	return 0;
}

static int
forward_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, const struct submission *sub)
{
	const struct smtpd_client_settings settings = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = sub->hostname,
		/* It does not leave this host. */
		.security = SMTPD_SECURITY_NONE,
		.greeting_ms = ANSWER_MS,
		.hello_ms = ANSWER_MS,
		.mail_ms = ANSWER_MS,
		.rcpt_ms = ANSWER_MS,
		.data_ms = ANSWER_MS,
		.dot_ms = DOT_MS,
		/* The client's going, or a cut-off, ends it. */
		.cancel = smtpd_session_cancel(s),
	};
	struct smtpd_client *c = smtpd_client_create(&settings);
	struct smtpd_outgoing_rcpt *rcpts = calloc(e->nrcpts, sizeof(*rcpts));
	struct content content = { .body = body };
	char home[SMTPD_ADDRESS_MAX];
	int code;

	if (c == NULL || rcpts == NULL) {
		code = smtpd_reply(
		    s, 451, "4.3.0", "Out of memory, try again later");
	} else if (smtpd_client_connect(c, &sub->smtpout, 1, sub->port) == -1) {
		log_line(sub->log, SMTPD_LOG_ERROR,
		    "smtpout takes no mail: %s: start smtpout, or name its "
		    "address by --smtpout",
		    smtpd_client_result(c)->text);
		code = smtpd_reply(s, 451, "4.3.0",
		    "The mail queue does not answer, try again later");
	} else if (e->nrcpts > max_rcpts(c)) {
		code = smtpd_reply(s, 452, "4.5.3",
		    "Too many recipients (limit %lu), send it to some at a "
		    "time",
		    max_rcpts(c));
	} else {
		snprintf(home, sizeof(home), "postmaster@%s", sub->hostname);
		set_rcpts(e, home, rcpts);
		send_message(s, e, rcpts, &content, c);
		code = reply_results(s, e, c);
	}
	free(rcpts);
	smtpd_client_destroy(c);
	return code;
}

int
forward_deliver(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct submission *sub = user;
	int code = sub->any_from ? 0 : check_author(s, sub, body);

	return code != 0 ? code : forward_message(s, e, body, sub);
}
