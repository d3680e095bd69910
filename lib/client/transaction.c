/* SPDX-License-Identifier: MIT */
#include "client/transaction.h"

#include <string.h>

#include "base/text.h"
#include "client/data.h"
#include "client/envelope.h"
#include "client/exchange.h"
#include "client/result.h"
#include "os/clock.h"

/*
 * Octets of commands that may be on their way without a reply (RFC 2920, 3.1):
 * a server that does not read them leaves them to the buffers of the two
 * systems, and we never wait to write while it waits to write to us.
 */
#define WINDOW 4096

/* The commands: MAIL, a RCPT for each recipient, DATA unless BDAT follows. */
#define MAIL 0

/*
 * One message on its way.  In the results, a recipient without a reply is
 * IN_DOUBT, one that was accepted is SENT until the dot decides, by LMTP for
 * each of them; the others are decided.
 */
struct transaction {
	struct smtpd_client *c;
	const struct smtpd_outgoing *m;
	struct smtpd_result *results;
	size_t next;    /* the next command to write */
	size_t replied; /* the next command that awaits its reply */
	bool pipelining;
	bool chunking;
	bool mail_accepted;
	size_t accepted; /* recipients */
	size_t asked;    /* so many recipients are named, the rest is not */
	int data_code;   /* 0: DATA was not sent */
};

static bool
is_decided(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_TEMPORARY ||
	    r->outcome == SMTPD_OUTCOME_PERMANENT ||
	    (r->outcome == SMTPD_OUTCOME_SENT && r->phase == SMTPD_PHASE_DOT);
}

/* Whether it was decided before the server was asked. */
static bool
is_local(const struct smtpd_result *r)
{
	return is_decided(r) && r->code == 0;
}

/* All recipients that are not decided share RESULT. */
static void
assign_rest(struct transaction *x, const struct smtpd_result *result)
{
	for (size_t i = 0; i < x->m->envelope->nrcpts; i++)
		if (!is_decided(&x->results[i]))
			x->results[i] = *result;
}

/* The connection was closed. */
static int
end_lost(struct transaction *x)
{
	assign_rest(x, &x->c->result);
	return -1;
}

/* A reply of a kind that cannot follow its command: the next one could belong
 * to any command. */
static int
refuse_reply(struct transaction *x, enum smtpd_phase phase)
{
	smtpd__client_exchange_refused(x->c, phase);
	return end_lost(x);
}

static size_t
write_command(struct transaction *x, size_t n)
{
	char command[SMTPD_COMMAND_MAX];
	enum smtpd_phase phase =
	    n == MAIL ? SMTPD_PHASE_MAIL : SMTPD_PHASE_RCPT;
	struct smtpd_text t;

	if (n > x->m->envelope->nrcpts)
		return smtpd__client_exchange_write(
		    x->c, SMTPD_PHASE_DATA, "DATA");
	smtpd__text_init(&t, command, sizeof(command));
	if (n == MAIL)
		smtpd__client_envelope_mail(x->c, x->m, &t);
	else
		smtpd__client_envelope_rcpt(x->c, x->m, n - 1, &t);
	return smtpd__client_exchange_write(x->c, phase, "%s", command);
}

/* Whether command N is not sent, and has no reply. */
static bool
is_skipped(const struct transaction *x, size_t n)
{
	return n != MAIL && n <= x->m->envelope->nrcpts &&
	    (n > x->asked || is_local(&x->results[n - 1]));
}

/* Whether so many recipients were accepted that the content is sent. */
static bool
is_wanted(const struct transaction *x)
{
	return x->accepted > 0 &&
	    (!x->m->all_or_none || x->accepted == x->m->envelope->nrcpts);
}

/* Whether another command may follow the OCTETS that are on their way. */
static bool
may_write(const struct transaction *x, size_t octets)
{
	if (x->next > x->m->envelope->nrcpts + !x->chunking)
		return false;
	if (x->replied > MAIL && !x->mail_accepted)
		return false;
	/* Each reply is awaited, where one decides for all. */
	if (x->next == x->m->envelope->nrcpts + 1 && x->m->all_or_none)
		return octets == 0 && is_wanted(x);
	/* DATA is sent in hope, but not when no recipient is left. */
	if (x->next == x->m->envelope->nrcpts + 1 && octets == 0 &&
	    x->accepted == 0)
		return false;
	return octets == 0 || (x->pipelining && octets < WINDOW);
}

/* Put as many commands as may be on their way.  Return their octets, or -1
 * when the connection was closed. */
static ssize_t
write_commands(struct transaction *x)
{
	size_t octets = 0;

	for (; may_write(x, octets); x->next++) {
		size_t n;

		if (is_skipped(x, x->next))
			continue;
		n = write_command(x, x->next);
		if (n == 0)
			return -1;
		octets += n;
	}
	return (ssize_t)octets;
}

static int
read_mail_reply(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	int code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_MAIL, c->set.mail_ms, NULL);
	struct smtpd_result result;

	if (code < 0)
		return end_lost(x);
	if (code / 100 == 3)
		return refuse_reply(x, SMTPD_PHASE_MAIL);
	x->mail_accepted = code / 100 == 2;
	if (!x->mail_accepted) {
		smtpd__client_exchange_judge(c, SMTPD_PHASE_MAIL, &result);
		assign_rest(x, &result);
	}
	return 0;
}

/* No more recipients are taken in this transaction, as RESULT says: those that
 * were not named yet share it. */
static void
stop_asking(struct transaction *x, const struct smtpd_result *result)
{
	const struct smtpd_result full = *result;

	if (x->next > x->asked)
		return;
	x->asked = x->next - 1;
	for (size_t i = x->asked; i < x->m->envelope->nrcpts; i++)
		if (!is_decided(&x->results[i]))
			x->results[i] = full;
}

static int
read_rcpt_reply(struct transaction *x, struct smtpd_result *result)
{
	struct smtpd_client *c = x->c;
	int code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_RCPT, c->set.rcpt_ms, NULL);

	if (code < 0)
		return end_lost(x);
	/* Without a sender it is refused for that, or taken for nothing. */
	if (!x->mail_accepted)
		return 0;
	if (code / 100 == 3)
		return refuse_reply(x, SMTPD_PHASE_RCPT);
	smtpd__client_exchange_judge(c, SMTPD_PHASE_RCPT, result);
	if (result->outcome == SMTPD_OUTCOME_SENT)
		x->accepted++;
	else if (x->accepted > 0 && smtpd__result_is_too_many(result))
		stop_asking(x, result);
	return 0;
}

static int
read_data_reply(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;

	x->data_code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_DATA, c->set.data_ms, NULL);
	if (x->data_code < 0)
		return end_lost(x);
	if (x->data_code / 100 == 2)
		return refuse_reply(x, SMTPD_PHASE_DATA);
	if (x->data_code / 100 != 3) {
		smtpd__client_exchange_judge(c, SMTPD_PHASE_DATA, &result);
		assign_rest(x, &result);
	}
	return 0;
}

/* Read the replies to all commands that were written. */
static int
read_replies(struct transaction *x)
{
	int result = 0;

	for (; result == 0 && x->replied < x->next; x->replied++) {
		if (x->replied == MAIL)
			result = read_mail_reply(x);
		else if (x->replied > x->m->envelope->nrcpts)
			result = read_data_reply(x);
		else if (!is_skipped(x, x->replied))
			result =
			    read_rcpt_reply(x, &x->results[x->replied - 1]);
	}
	return result;
}

/* Read the reply to the message, which is that of all recipients; by LMTP, one
 * for each that was accepted, in their order (RFC 2033, 4.2).  READ: the first
 * one was read. */
static int
read_dot_replies(struct transaction *x, bool read)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;

	for (size_t i = 0; i < x->m->envelope->nrcpts; i++) {
		if (is_decided(&x->results[i]))
			continue;
		if (!read &&
		    smtpd__client_exchange_read_reply(
			c, SMTPD_PHASE_DOT, c->set.dot_ms, NULL) < 0)
			return end_lost(x);
		read = false;
		if (c->reply.code / 100 == 3)
			return refuse_reply(x, SMTPD_PHASE_DOT);
		smtpd__client_exchange_judge(c, SMTPD_PHASE_DOT, &result);
		if (c->set.lmtp)
			x->results[i] = result;
		else
			assign_rest(x, &result);
	}
	return 0;
}

static int
send_content(struct transaction *x)
{
	if (smtpd__client_data_send(x->c, x->m) != 0)
		return end_lost(x);
	return read_dot_replies(x, false);
}

/* RSET is never refused (RFC 5321, 4.3.2), but by hosts that do not know it:
 * any other reply is one to something else. */
static int
reset_transaction(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	int code = smtpd__client_exchange_command(
	    c, SMTPD_PHASE_MAIL, c->set.reset_ms, "RSET");

	if (code < 0)
		return -1;
	if (code / 100 == 2)
		return 0;
	c->out_of_step = code != 500 && code != 502;
	return smtpd__client_exchange_refused(c, SMTPD_PHASE_MAIL);
}

/* Whether R says that BDAT is not known, though it was offered: by something
 * that let the offer of another pass. */
static bool
is_bdat_unknown(const struct smtpd_result *r)
{
	return r->code == 500 || r->code == 502 || r->code == 503;
}

/* The chunk may have been taken for commands. */
static int
abandon_bdat(struct transaction *x, enum smtpd_phase phase)
{
	struct smtpd_client *c = x->c;

	c->bdat_refused = c->no_bdat = true;
	smtpd__client_exchange_refused(c, phase);
	c->result.outcome = SMTPD_OUTCOME_TEMPORARY;
	c->result.status[0] = '4';
	return end_lost(x);
}

/*
 * After a chunk that was refused only RSET is sure of the server's state (RFC
 * 3030, 2).  One that has sent more took the chunk for commands: its next reply
 * could belong to any of them.
 */
static int
send_chunks(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;

	if (smtpd__client_data_chunks(c, x->m, &result) != 0)
		return end_lost(x);
	if (is_bdat_unknown(&result))
		return abandon_bdat(x, result.phase);
	if (c->set.lmtp && result.phase == SMTPD_PHASE_DOT)
		return read_dot_replies(x, true);
	assign_rest(x, &result);
	return result.outcome == SMTPD_OUTCOME_SENT ? 0 : reset_transaction(x);
}

void
smtpd__client_transaction_set_bdat(struct smtpd_client *c, bool used)
{
	c->no_bdat = !used;
}

void
smtpd__client_transaction_set_pipelining(struct smtpd_client *c, bool used)
{
	c->no_group = !used;
}

bool
smtpd__client_transaction_group_lost(const struct smtpd_client *c)
{
	return c->group_lost;
}

bool
smtpd__client_transaction_bdat_refused(const struct smtpd_client *c)
{
	return c->bdat_refused;
}

/* The server wants a message without recipients: it gets an empty one, which it
 * will refuse (RFC 2920, 3.1).  By LMTP it must not want that, and nobody knows
 * how many replies would come (RFC 2033, 4.2). */
static int
send_nothing(struct transaction *x)
{
	struct smtpd_client *c = x->c;

	if (c->set.lmtp)
		return refuse_reply(x, SMTPD_PHASE_DATA);
	smtpd__client_data_none(c);
	return smtpd__client_exchange_read_reply(
		   c, SMTPD_PHASE_DATA, c->set.data_ms, NULL) < 0
	    ? -1
	    : 0;
}

/* The accepted recipients do not get what others would not. */
static void
withhold_accepted(struct transaction *x)
{
	struct smtpd_result result;

	smtpd__result_set(&result, SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_RCPT,
	    "4.5.0", "not sent, since another recipient was refused");
	assign_rest(x, &result);
}

static int
finish_transaction(struct transaction *x)
{
	if (x->accepted > 0 && !is_wanted(x))
		withhold_accepted(x);
	if (x->chunking && is_wanted(x))
		return send_chunks(x);
	if (x->data_code / 100 != 3)
		return reset_transaction(x);
	return x->accepted > 0 ? send_content(x) : send_nothing(x);
}

static bool
is_refusal(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_PERMANENT && r->code != 0;
}

/* Before a refusal is believed, no reply may be left over. */
static int
check_refusals(struct transaction *x)
{
	for (size_t i = 0; i < x->m->envelope->nrcpts; i++)
		if (is_refusal(&x->results[i]))
			return smtpd__client_exchange_check_step(
			    x->c, SMTPD_PHASE_MAIL);
	return 0;
}

static int
run_transaction(struct transaction *x)
{
	ssize_t octets;

	while ((octets = write_commands(x)) > 0) {
		bool group = x->next - x->replied > 1;

		if (read_replies(x) == 0)
			continue;
		/* Something between may drop all but the first. */
		x->c->group_lost = group && x->c->timed_out;
		return -1;
	}
	if (octets == -1)
		return end_lost(x);
	return finish_transaction(x) == 0 ? check_refusals(x) : -1;
}

/* Nobody knows what the replies belong to: none of them refuses a recipient for
 * good. */
static void
soften_refusals(struct transaction *x)
{
	for (size_t i = 0; i < x->m->envelope->nrcpts; i++) {
		struct smtpd_result *r = &x->results[i];

		if (!is_refusal(r))
			continue;
		r->outcome = SMTPD_OUTCOME_TEMPORARY;
		r->status[0] = '4';
	}
}

int
smtpd__client_transaction(struct smtpd_client *c,
    const struct smtpd_outgoing *message, struct smtpd_result *results)
{
	struct transaction x = {
		.c = c,
		.m = message,
		.results = results,
		.asked = message->envelope->nrcpts,
		.pipelining = !c->no_group &&
		    smtpd_client_offers(c, "PIPELINING") != NULL,
		.chunking = !c->set.data_only && !c->no_bdat &&
		    smtpd_client_offers(c, "CHUNKING") != NULL,
	};
	int status;

	if (smtpd__client_envelope_check(c, message, results) == 0)
		return 0;
	c->mails++;
	c->out_of_step = c->bdat_refused = false;
	c->timed_out = c->group_lost = false;
	c->stream.wire.budget_ms = smtpd__clock_later(
	    c->stream.wire.waited_ms, smtpd__clock_span(c->set.total_ms));
	status = run_transaction(&x);
	if (c->out_of_step)
		soften_refusals(&x);
	return status;
}
