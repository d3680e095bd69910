/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "queue/delivery/agent_state.h"

/* How far the content was read, in memory. */
struct cursor {
	const struct smtpd_loaded_message *loaded;
	uint64_t at;
};

/* Who was put off is asked for at one host more. */
#define PUT_OFF_MAX 2

bool
smtpd__agent_rules_is_pending(const struct smtpd_rcpt_state *p)
{
	return !p->settled && p->put_off < PUT_OFF_MAX;
}

static ssize_t
read_content(void *user, void *buf, size_t size)
{
	struct cursor *c = user;
	uint64_t left = c->loaded->size - c->at;
	size_t n = left < size ? (size_t)left : size;

	memcpy(buf, c->loaded->content + c->at, n);
	c->at += n;
	return (ssize_t)n;
}

/* Fill the next transaction from *PLACE on.  Return how many recipients it
 * has. */
static size_t
load(struct smtpd_agent_attempt *t, size_t *place)
{
	struct smtpd_agent *c = t->agent;
	const struct smtpd_delivery_request *e = t->request;
	size_t n = 0;

	for (; *place < e->nrcpts && n < SMTPD_AGENT_RCPTS; ++*place) {
		if (!smtpd__agent_rules_is_pending(&t->rcpt_states[*place]))
			continue;
		c->rcpts[n] = e->loaded->rcpts[e->rcpts[*place].rcpt];
		c->rcpts[n].size = sizeof(c->rcpts[n]);
		c->places[n++] = *place;
	}
	return n;
}

static int
transact(struct smtpd_agent_attempt *t, size_t count)
{
	struct smtpd_agent *c = t->agent;
	const struct smtpd_loaded_message *loaded = t->request->loaded;
	struct cursor cursor = { .loaded = loaded };
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = loaded->sender,
		.rcpts = c->rcpts,
		.nrcpts = count,
		.ret = loaded->ret,
		.envid = loaded->envid,
		.eight_bit = (t->request->flags & SMTPD_MESSAGE_EIGHT_BIT) != 0,
		.utf8 = (t->request->flags & SMTPD_MESSAGE_UTF8) != 0,
	};
	const struct smtpd_outgoing m = {
		SMTPD_OUTGOING_INIT,
		.envelope = &envelope,
		.fd = loaded->fd,
		.length = loaded->size,
		.read = loaded->content != NULL ? read_content : NULL,
		.read_user = &cursor,
	};

	return smtpd_client_send(c->client, &m, c->results);
}

/* Whether a connection that served others before was closed by then: the server
 * tired of waiting.  What we refused ourselves does not count. */
static bool
is_stale(const struct smtpd_agent_attempt *t, size_t count)
{
	if (smtpd__agent_rules_is_cancelled(t))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct smtpd_result *r = &t->agent->results[i];

		if (r->outcome == SMTPD_OUTCOME_PERMANENT && r->code == 0)
			continue;
		if (r->outcome != SMTPD_OUTCOME_TEMPORARY ||
		    r->phase != SMTPD_PHASE_MAIL ||
		    smtpd__agent_rules_is_own(t, r) ||
		    (r->code != 0 && r->code != 421))
			return false;
	}
	return true;
}

/* What this host cannot do another one may: a larger SIZE, SMTPUTF8. */
static bool
is_of_host(const struct smtpd_result *r)
{
	return r->code == 0 &&
	    (strcmp(r->status, "5.3.4") == 0 ||
		strcmp(r->status, "5.6.7") == 0);
}

static void
take(struct smtpd_agent_attempt *t, size_t place, const struct smtpd_result *r)
{
	struct smtpd_rcpt_state *rcpt_state = &t->rcpt_states[place];
	struct smtpd_rcpt_progress *p = &t->request->rcpts[place];

	p->result = *r;
	if (r->outcome == SMTPD_OUTCOME_TEMPORARY)
		smtpd__agent_rules_soften(&p->result);
	memcpy(p->host, t->agent->stop.host, sizeof(p->host));
	rcpt_state->told = true;
	rcpt_state->stop = (uint8_t)(t->sessions - 1);
	switch (r->outcome) {
	case SMTPD_OUTCOME_SENT:
		t->sent = true;
		rcpt_state->settled = true;
		break;
	case SMTPD_OUTCOME_PERMANENT:
		rcpt_state->settled = !is_of_host(r);
		break;
	case SMTPD_OUTCOME_IN_DOUBT:
		rcpt_state->settled = true;
		break;
	case SMTPD_OUTCOME_TEMPORARY:
		if (r->code != 0 && r->code != 421)
			rcpt_state->put_off++;
		if (smtpd__agent_rules_is_own(t, r))
			t->over = true;
		break;
	}
	smtpd__agent_log_rcpt(t, place);
}

/* The connection was closed.  Those at PLACE and behind were not sent yet: for
 * them that is all there is, also if another's reply to the dot was lost. */
static void
lose(struct smtpd_agent_attempt *t, size_t place)
{
	struct smtpd_agent *c = t->agent;
	struct smtpd_result why = *smtpd_client_result(c->client);

	smtpd__agent_rules_soften(&why);
	for (; place < t->request->nrcpts; place++)
		if (smtpd__agent_rules_is_pending(&t->rcpt_states[place]))
			take(t, place, &why);
	if (why.code == 421 && !smtpd__agent_rules_is_cancelled(t))
		smtpd__agent_rules_judge(
		    t, SMTPD_SITE_BUSY, c->stop.host, &why);
	smtpd__agent_quit(c);
}

/* Begin to talk to the host of the open connection. */
static void
arrive(struct smtpd_agent_attempt *t, bool old)
{
	struct smtpd_agent *c = t->agent;

	if (old)
		smtpd__agent_log_relay(t, &c->stop, true);
	t->stops[t->sessions++] = c->stop;
	c->requests++;
	smtpd__agent_rules_judge(t, SMTPD_SITE_FINE, c->stop.host, NULL);
}

int
smtpd__agent_send(struct smtpd_agent_attempt *t, bool old)
{
	struct smtpd_agent *c = t->agent;
	bool dsn = smtpd_client_offers(c->client, "DSN") != NULL;
	bool arrived = false;
	size_t place = 0, n;

	while ((n = load(t, &place)) > 0) {
		int status = transact(t, n);

		if (!arrived && old && status != 0 && is_stale(t, n)) {
			smtpd__agent_quit(c);
			return -1;
		}
		if (!arrived)
			arrive(t, old);
		arrived = true;
		for (size_t i = 0; i < n; i++) {
			take(t, c->places[i], &c->results[i]);
			if (c->results[i].outcome == SMTPD_OUTCOME_SENT && !dsn)
				t->without_dsn = true;
		}
		if (status != 0) {
			lose(t, place);
			return 0;
		}
	}
	return 0;
}
