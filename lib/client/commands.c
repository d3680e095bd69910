/* SPDX-License-Identifier: MIT */
#include "client/commands.h"

#include "base/text.h"
#include "client/envelope.h"
#include "client/exchange.h"

/*
 * Octets of commands that may be on their way without a reply (RFC 2920, 3.1):
 * a server that does not read them leaves them to the buffers of the two
 * systems, and we never wait to write while it waits to write to us.
 */
#define WINDOW 4096

void
smtpd__client_commands_begin(struct smtpd_transaction *x,
    struct smtpd_client *c, const struct smtpd_outgoing *m,
    struct smtpd_result *results)
{
	*x = (struct smtpd_transaction){
		.c = c,
		.m = m,
		.results = results,
		.asked = m->envelope->nrcpts,
		.pipelining = !c->no_group &&
		    smtpd_client_offers(c, "PIPELINING") != NULL,
		.chunking = !c->set.data_only && !c->no_bdat &&
		    smtpd_client_offers(c, "CHUNKING") != NULL,
	};
}

bool
smtpd__client_commands_is_decided(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_TEMPORARY ||
	    r->outcome == SMTPD_OUTCOME_PERMANENT ||
	    (r->outcome == SMTPD_OUTCOME_SENT && r->phase == SMTPD_PHASE_DOT);
}

/* Whether it was decided before the server was asked. */
static bool
is_local(const struct smtpd_result *r)
{
	return smtpd__client_commands_is_decided(r) && r->code == 0;
}

static size_t
write_command(struct smtpd_transaction *x, size_t n)
{
	char command[SMTPD_COMMAND_MAX];
	enum smtpd_phase phase =
	    n == SMTPD_COMMAND_MAIL ? SMTPD_PHASE_MAIL : SMTPD_PHASE_RCPT;
	struct smtpd_text t;

	if (n > x->m->envelope->nrcpts)
		return smtpd__client_exchange_write(
		    x->c, SMTPD_PHASE_DATA, "DATA");
	smtpd__text_init(&t, command, sizeof(command));
	if (n == SMTPD_COMMAND_MAIL)
		smtpd__client_envelope_mail(x->c, x->m, &t);
	else
		smtpd__client_envelope_rcpt(x->c, x->m, n - 1, &t);
	return smtpd__client_exchange_write(x->c, phase, "%s", command);
}

bool
smtpd__client_commands_is_skipped(const struct smtpd_transaction *x, size_t n)
{
	return n != SMTPD_COMMAND_MAIL && n <= x->m->envelope->nrcpts &&
	    (n > x->asked || is_local(&x->results[n - 1]));
}

bool
smtpd__client_commands_is_wanted(const struct smtpd_transaction *x)
{
	return x->accepted > 0 &&
	    (!x->m->all_or_none || x->accepted == x->m->envelope->nrcpts);
}

/* Whether another command may follow the OCTETS that are on their way. */
static bool
may_write(const struct smtpd_transaction *x, size_t octets)
{
	if (x->next > x->m->envelope->nrcpts + !x->chunking)
		return false;
	if (x->replied > SMTPD_COMMAND_MAIL && !x->mail_accepted)
		return false;
	/* Each reply is awaited, where one decides for all. */
	if (x->next == x->m->envelope->nrcpts + 1 && x->m->all_or_none)
		return octets == 0 && smtpd__client_commands_is_wanted(x);
	/* DATA is sent in hope, but not when no recipient is left. */
	if (x->next == x->m->envelope->nrcpts + 1 && octets == 0 &&
	    x->accepted == 0)
		return false;
	return octets == 0 || (x->pipelining && octets < WINDOW);
}

/* Put commands behind OCTETS that are on their way, as many as may be. */
static ssize_t
write_all(struct smtpd_transaction *x, size_t octets)
{
	for (; may_write(x, octets); x->next++) {
		size_t n;

		if (smtpd__client_commands_is_skipped(x, x->next))
			continue;
		n = write_command(x, x->next);
		if (n == 0)
			return -1;
		octets += n;
	}
	return (ssize_t)octets;
}

ssize_t
smtpd__client_commands_write(struct smtpd_transaction *x)
{
	return write_all(x, 0);
}

/* The end of the content counts as one octet. */
ssize_t
smtpd__client_commands_write_ahead(struct smtpd_transaction *x)
{
	return write_all(x, 1);
}
