/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/sized.h"
#include "base/text.h"
#include "client/data.h"
#include "client/envelope.h"
#include "client/exchange.h"

/*
 * Octets of commands that may be on their way without a reply (RFC 2920, 3.1):
 * a server that does not read them leaves them to the buffers of the two
 * systems, and we never wait to write while it waits to write to us.
 */
#define WINDOW 4096

/* The commands: MAIL, a RCPT for each recipient, DATA unless BDAT follows. */
#define MAIL 0

/*
 * One message on its way.  In the results, a recipient that nothing is known
 * of is UNKNOWN, one that was accepted is SENT until the dot decides; the
 * others are settled.
 */
struct transaction {
	struct smtpd_client *c;
	const struct smtpd_outgoing *m;
	struct smtpd_result *results;
	size_t next;  /* the next command to put */
	size_t heard; /* the next that a reply is expected to */
	bool pipelining;
	bool chunking;
	bool mail_accepted;
	size_t accepted; /* recipients */
	int data_code;   /* 0: DATA was not said */
};

static bool
is_settled(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_TEMPORARY ||
	    r->outcome == SMTPD_OUTCOME_PERMANENT;
}

/* Whether it was settled before the server was asked. */
static bool
is_local(const struct smtpd_result *r)
{
	return is_settled(r) && r->code == 0;
}

/* All recipients that are not settled share RESULT. */
static void
settle(struct transaction *x, const struct smtpd_result *result)
{
	for (size_t i = 0; i < x->m->envelope->nrcpts; i++)
		if (!is_settled(&x->results[i]))
			x->results[i] = *result;
}

/* The connection was closed. */
static int
lost(struct transaction *x)
{
	settle(x, &x->c->result);
	return -1;
}

/* A reply of a kind that cannot follow its command: nobody knows what the next
 * would be the reply to. */
static int
nonsense(struct transaction *x, enum smtpd_phase phase)
{
	smtpd__client_exchange_refused(x->c, phase);
	return lost(x);
}

static size_t
put_command(struct transaction *x, size_t n)
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

/* Whether command N is one that is not said, nor heard a reply to. */
static bool
is_skipped(const struct transaction *x, size_t n)
{
	return n != MAIL && n <= x->m->envelope->nrcpts &&
	    is_local(&x->results[n - 1]);
}

/* Whether another command may follow the OCTETS that are on their way. */
static bool
may_put(const struct transaction *x, size_t octets)
{
	if (x->next > x->m->envelope->nrcpts + !x->chunking)
		return false;
	if (x->heard > MAIL && !x->mail_accepted)
		return false;
	/* DATA is said in hope only, not against what is known. */
	if (x->next == x->m->envelope->nrcpts + 1 && octets == 0 &&
	    x->accepted == 0)
		return false;
	return octets == 0 || (x->pipelining && octets < WINDOW);
}

/* Put as many commands as may be on their way.  Return their octets, or -1
 * when the connection was closed. */
static ssize_t
put_commands(struct transaction *x)
{
	size_t octets = 0;

	for (; may_put(x, octets); x->next++) {
		size_t n;

		if (is_skipped(x, x->next))
			continue;
		n = put_command(x, x->next);
		if (n == 0)
			return -1;
		octets += n;
	}
	return (ssize_t)octets;
}

static int
hear_mail(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	int code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_MAIL, c->set.mail_ms, NULL);
	struct smtpd_result result;

	if (code < 0)
		return lost(x);
	if (code / 100 == 3)
		return nonsense(x, SMTPD_PHASE_MAIL);
	x->mail_accepted = code / 100 == 2;
	if (!x->mail_accepted) {
		smtpd__client_exchange_judge(c, SMTPD_PHASE_MAIL, &result);
		settle(x, &result);
	}
	return 0;
}

static int
hear_rcpt(struct transaction *x, struct smtpd_result *result)
{
	struct smtpd_client *c = x->c;
	int code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_RCPT, c->set.rcpt_ms, NULL);

	if (code < 0)
		return lost(x);
	/* Without a sender it is refused for that, or taken for nothing. */
	if (!x->mail_accepted)
		return 0;
	if (code / 100 == 3)
		return nonsense(x, SMTPD_PHASE_RCPT);
	smtpd__client_exchange_judge(c, SMTPD_PHASE_RCPT, result);
	if (result->outcome == SMTPD_OUTCOME_SENT)
		x->accepted++;
	return 0;
}

static int
hear_data(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;

	x->data_code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_DATA, c->set.data_ms, NULL);
	if (x->data_code < 0)
		return lost(x);
	if (x->data_code / 100 == 2)
		return nonsense(x, SMTPD_PHASE_DATA);
	if (x->data_code / 100 != 3) {
		smtpd__client_exchange_judge(c, SMTPD_PHASE_DATA, &result);
		settle(x, &result);
	}
	return 0;
}

/* Hear the replies to all commands that were put. */
static int
hear_replies(struct transaction *x)
{
	int result = 0;

	for (; result == 0 && x->heard < x->next; x->heard++) {
		if (x->heard == MAIL)
			result = hear_mail(x);
		else if (x->heard > x->m->envelope->nrcpts)
			result = hear_data(x);
		else if (!is_skipped(x, x->heard))
			result = hear_rcpt(x, &x->results[x->heard - 1]);
	}
	return result;
}

static int
send_content(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;
	int code;

	if (smtpd__client_data_send(c, x->m) != 0)
		return lost(x);
	code = smtpd__client_exchange_read_reply(
	    c, SMTPD_PHASE_DOT, c->set.dot_ms, NULL);
	if (code < 0)
		return lost(x);
	if (code / 100 == 3)
		return nonsense(x, SMTPD_PHASE_DOT);
	smtpd__client_exchange_judge(c, SMTPD_PHASE_DOT, &result);
	settle(x, &result);
	return 0;
}

static int
reset(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	int code = smtpd__client_exchange_command(
	    c, SMTPD_PHASE_MAIL, c->set.reset_ms, "RSET");

	if (code < 0)
		return -1;
	return code / 100 == 2
	    ? 0
	    : smtpd__client_exchange_refused(c, SMTPD_PHASE_MAIL);
}

/*
 * After a chunk that was refused only RSET is sure of the server's state (RFC
 * 3030, 2).  One that has more to say then took the chunk for commands: nobody
 * knows what its next reply would be to.
 */
static int
send_chunks(struct transaction *x)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result result;
	size_t more;

	if (smtpd__client_data_chunks(c, x->m, &result) != 0)
		return lost(x);
	settle(x, &result);
	if (result.outcome == SMTPD_OUTCOME_SENT)
		return 0;
	smtpd__stream_peek(&c->stream, &more);
	if (more > 0)
		return smtpd__client_exchange_broken(
		    c, SMTPD_PHASE_MAIL, SMTPD_IO_FLOOD);
	return reset(x);
}

/* The server wants a message for nobody: it gets an empty one, which it will
 * refuse (RFC 2920, 3.1). */
static int
send_nothing(struct transaction *x)
{
	struct smtpd_client *c = x->c;

	smtpd__client_data_none(c);
	return smtpd__client_exchange_read_reply(
		   c, SMTPD_PHASE_DATA, c->set.data_ms, NULL) < 0
	    ? -1
	    : 0;
}

static int
conclude(struct transaction *x)
{
	if (x->chunking && x->accepted > 0)
		return send_chunks(x);
	if (x->data_code / 100 != 3)
		return reset(x);
	return x->accepted > 0 ? send_content(x) : send_nothing(x);
}

/* Copy GIVEN, as far as it is known, to M and E.  Return -1 with errno when it
 * is none. */
static int
copy_message(const struct smtpd_outgoing *given, struct smtpd_outgoing *m,
    struct smtpd_outgoing_envelope *e)
{
	struct smtpd_outgoing_rcpt rcpt;

	errno = EINVAL;
	if (given == NULL || smtpd__sized_copy(m, sizeof(*m), given) == -1 ||
	    m->envelope == NULL ||
	    smtpd__sized_copy(e, sizeof(*e), m->envelope) == -1)
		return -1;
	m->envelope = e;
	if (e->nrcpts == 0)
		return 0;
	return e->rcpts == NULL
	    ? -1
	    : smtpd__sized_copy(&rcpt, sizeof(rcpt), e->rcpts);
}

int
smtpd_client_send(struct smtpd_client *c, const struct smtpd_outgoing *message,
    struct smtpd_result *results)
{
	struct smtpd_outgoing_envelope e;
	struct smtpd_outgoing m;
	struct transaction x = {
		.c = c,
		.m = &m,
		.results = results,
		.pipelining = smtpd_client_offers(c, "PIPELINING") != NULL,
		.chunking = !c->set.data_only &&
		    smtpd_client_offers(c, "CHUNKING") != NULL,
	};
	ssize_t octets;

	if (copy_message(message, &m, &e) == -1) {
		smtpd__client_exchange_fail(c, SMTPD_PHASE_MAIL, "4.3.5",
		    "the program gave no valid message");
		errno = EINVAL;
		return -1;
	}
	if (c->fd < 0) {
		for (size_t i = 0; i < e.nrcpts; i++)
			smtpd__client_exchange_set_result(&results[i],
			    SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_CONNECT,
			    "4.4.1", "not connected");
		return -1;
	}
	if (smtpd__client_envelope_check(c, &m, results) == 0)
		return 0;
	while ((octets = put_commands(&x)) > 0)
		if (hear_replies(&x) != 0)
			return -1;
	return octets < 0 ? lost(&x) : conclude(&x);
}
