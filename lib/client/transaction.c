/* SPDX-License-Identifier: MIT */
#include "client/transaction.h"

#include <string.h>

#include "client/ahead.h"
#include "client/commands.h"
#include "client/data.h"
#include "client/envelope.h"
#include "client/exchange.h"
#include "client/result.h"
#include "os/clock.h"

/* All recipients that are not decided share RESULT. */
static void
assign_rest(struct smtpd_transaction *x, const struct smtpd_result *result)
{
	for (size_t i = 0; i < x->m->envelope->nrcpts; i++)
		if (!smtpd__client_commands_is_decided(&x->results[i]))
			x->results[i] = *result;
}

/* The connection was closed. */
static int
end_lost(struct smtpd_transaction *x)
{
	assign_rest(x, &x->c->result);
	return -1;
}

/* A reply of a kind that cannot follow its command: the next one could belong
 * to any command. */
static int
refuse_reply(struct smtpd_transaction *x, enum smtpd_phase phase)
{
	smtpd__client_exchange_refused(x->c, phase);
	return end_lost(x);
}

static int
read_mail_reply(struct smtpd_transaction *x)
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
stop_asking(struct smtpd_transaction *x, const struct smtpd_result *result)
{
	const struct smtpd_result full = *result;

	if (x->next > x->asked)
		return;
	x->asked = x->next - 1;
	for (size_t i = x->asked; i < x->m->envelope->nrcpts; i++)
		if (!smtpd__client_commands_is_decided(&x->results[i]))
			x->results[i] = full;
}

static int
read_rcpt_reply(struct smtpd_transaction *x, struct smtpd_result *result)
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
read_data_reply(struct smtpd_transaction *x)
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
read_replies(struct smtpd_transaction *x)
{
	int result = 0;

	for (; result == 0 && x->replied < x->next; x->replied++) {
		if (x->replied == SMTPD_COMMAND_MAIL)
			result = read_mail_reply(x);
		else if (x->replied > x->m->envelope->nrcpts)
			result = read_data_reply(x);
		else if (!smtpd__client_commands_is_skipped(x, x->replied))
			result =
			    read_rcpt_reply(x, &x->results[x->replied - 1]);
	}
	return result;
}

/* Read the reply to the message, which is that of all recipients; by LMTP, one
 * for each that was accepted, in their order (RFC 2033, 4.2).  READ: the first
 * one was read. */
static int
read_dot_replies(struct smtpd_transaction *x, bool read)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;

	for (size_t i = 0; i < x->m->envelope->nrcpts; i++) {
		if (smtpd__client_commands_is_decided(&x->results[i]))
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
send_content(struct smtpd_transaction *x)
{
	if (smtpd__client_data_send(x->c, x->m, smtpd__client_ahead_begin, x) !=
	    0)
		return end_lost(x);
	return read_dot_replies(x, false);
}

/* RSET is never refused (RFC 5321, 4.3.2), but by hosts that do not know it:
 * any other reply is one to something else. */
static int
reset_transaction(struct smtpd_transaction *x)
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
abandon_bdat(struct smtpd_transaction *x, enum smtpd_phase phase)
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
send_chunks(struct smtpd_transaction *x)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;

	if (smtpd__client_data_chunks(
		c, x->m, smtpd__client_ahead_begin, x, &result) != 0)
		return end_lost(x);
	if (is_bdat_unknown(&result))
		return abandon_bdat(x, result.phase);
	if (c->set.lmtp && result.phase == SMTPD_PHASE_DOT)
		return read_dot_replies(x, true);
	assign_rest(x, &result);
	if (result.outcome == SMTPD_OUTCOME_SENT)
		return 0;
	return smtpd__client_ahead_drop(c) == 0 ? reset_transaction(x) : -1;
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
send_nothing(struct smtpd_transaction *x)
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
withhold_accepted(struct smtpd_transaction *x)
{
	struct smtpd_result result;

	smtpd__result_set(&result, SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_RCPT,
	    "4.5.0", "not sent, since another recipient was refused");
	assign_rest(x, &result);
}

static int
finish_transaction(struct smtpd_transaction *x)
{
	if (x->accepted > 0 && !smtpd__client_commands_is_wanted(x))
		withhold_accepted(x);
	if (x->chunking && smtpd__client_commands_is_wanted(x))
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
check_refusals(struct smtpd_transaction *x)
{
	for (size_t i = 0; i < x->m->envelope->nrcpts; i++)
		if (is_refusal(&x->results[i]))
			return smtpd__client_exchange_check_step(
			    x->c, SMTPD_PHASE_MAIL);
	return 0;
}

/* Some commands may be on their way already. */
static int
run_transaction(struct smtpd_transaction *x)
{
	ssize_t octets;

	do {
		bool group = x->next - x->replied > 1;

		if (read_replies(x) == -1) {
			/* Something between may drop all but the first. */
			x->c->group_lost = group && x->c->timed_out;
			return -1;
		}
		octets = smtpd__client_commands_write(x);
	} while (octets > 0);
	if (octets == -1)
		return end_lost(x);
	return finish_transaction(x) == 0 ? check_refusals(x) : -1;
}

/* Nobody knows what the replies belong to: none of them refuses a recipient for
 * good. */
static void
soften_refusals(struct smtpd_transaction *x)
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
	struct smtpd_transaction x;
	int status;

	if (smtpd__client_envelope_check(c, message, results) == 0)
		return 0;
	smtpd__client_commands_begin(&x, c, message, results);
	x.next = smtpd__client_ahead_take(c);
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
