/* SPDX-License-Identifier: MIT */
#include "submit_smtp.h"

#include <stdio.h>
#include <sysexits.h>

#include "complain.h"
#include "places.h"
#include "submit_drop.h"
#include "target.h"

/* How long to wait for a smtpout that systemd starts, or that stops, where
 * there is another place for the message. */
#define GREETING_MS 10000

static void
show_line(void *user, bool sent, const char *line)
{
	(void)user;
	fprintf(stderr, "%s %s\n", sent ? ">>>" : "<<<", line);
}

/* Report that RCPT was refused, for good or for now. */
static void
report_refusal(
    struct submission *s, const char *rcpt, const struct smtpd_result *r)
{
	bool forever = r->outcome == SMTPD_OUTCOME_PERMANENT;

	complain(PROGRAM, 0, "<%s>: %d %s", rcpt, r->code, r->text);
	text_list_add(&s->refused, rcpt);
	if (s->status == 0 || forever)
		s->status = forever ? EX_UNAVAILABLE : EX_TEMPFAIL;
}

/* Whether RCPT was refused only since the transaction has too many of them (RFC
 * 5321, 4.5.3.1.10). */
static bool
is_too_many(const struct smtpd_result *r, size_t sent)
{
	return r->code == 452 && sent > 0;
}

/* Whether R leaves open what becomes of a recipient: the server did not come to
 * it, goes away (RFC 5321, 3.8), or takes it in the next transaction, since it
 * took SENT in this one. */
static bool
is_undecided(const struct smtpd_result *r, size_t sent)
{
	return r->outcome != SMTPD_OUTCOME_PERMANENT &&
	    (r->code == 0 || r->code == 421 || is_too_many(r, sent));
}

/* Report the recipients that are done, and keep the others.  Return how many
 * got the message. */
static size_t
keep_undecided(struct submission *s, const struct smtpd_client *client)
{
	size_t kept = 0, sent = 0;

	for (size_t i = 0; i < s->nrcpts; i++) {
		const struct smtpd_result *r =
		    smtpd_client_rcpt_result(client, i);

		if (r->outcome == SMTPD_OUTCOME_SENT) {
			sent++;
			continue;
		}
		if (!is_undecided(r, sent)) {
			report_refusal(s, s->rcpts[i].address, r);
			continue;
		}
		snprintf(s->why, sizeof(s->why), "%s: %s %s", s->place,
		    r->status, r->text);
		s->rcpts[kept++] = s->rcpts[i];
	}
	s->nrcpts = kept;
	return sent;
}

/* One transaction; return how many got the message. */
static size_t
send_once(struct submission *s, struct smtpd_client *client)
{
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = s->identity->sender,
		.rcpts = s->rcpts,
		.nrcpts = s->nrcpts,
		.ret = s->arguments->ret,
		.envid = s->arguments->envid,
		.eight_bit = s->message->eight_bit,
	};
	const struct smtpd_outgoing message = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.fd = fileno(s->message->file),
		.length = s->message->size,
	};

	smtpd_client_send(client, &message);
	return keep_undecided(s, client);
}

/* Transactions for as long as each serves some of the recipients. */
static void
send_over(struct submission *s, struct smtpd_client *client)
{
	while (s->nrcpts > 0 && send_once(s, client) > 0)
		continue;
	smtpd_client_quit(client);
}

/* Submit at the place NAME.  Return false when it is none. */
static bool
submit_there(struct submission *s, const char *name)
{
	struct smtpd_client_settings settings = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.hostname = s->identity->host,
		/* It does not leave this host. */
		.security = SMTPD_SECURITY_NONE,
		.greeting_ms =
		    submit_drop_has_box(s->arguments) ? GREETING_MS : 0,
		.exchange = s->arguments->verbose ? show_line : NULL,
	};
	struct smtpd_client *client;
	struct smtpd_target target;

	s->place = name;
	if (places_target(name, s->arguments->port, &target) == -1) {
		snprintf(s->why, sizeof(s->why),
		    "--host %s: give an address, or the path of a socket",
		    name);
		return false;
	}
	client = smtpd_client_create(&settings);
	if (client == NULL) {
		snprintf(s->why, sizeof(s->why), "no memory");
		return true;
	}
	if (smtpd_client_connect(client, &target, 1, s->arguments->port) == 0)
		send_over(s, client);
	else
		snprintf(s->why, sizeof(s->why), "%s: %s", name,
		    smtpd_client_result(client)->text);
	smtpd_client_destroy(client);
	return true;
}

bool
submit_smtp(struct submission *s)
{
	const char *name;

	for (size_t i = 0;
	    s->nrcpts > 0 && (name = target_name(s->arguments, i)) != NULL; i++)
		if (!submit_there(s, name))
			return false;
	return true;
}
