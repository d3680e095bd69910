/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent.h"

#include <stdlib.h>
#include <string.h>

#include "client/exchange.h"
#include "os/clock.h"
#include "queue/delivery/agent_state.h"

/* What one connection serves. */
#define ERRANDS_MAX 100
#define OPEN_MS     300000

struct smtpd_agent *
smtpd__agent_create(const struct smtpd_agent_settings *settings)
{
	struct smtpd_agent *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->set = settings;
	return c;
}

void
smtpd__agent_destroy(struct smtpd_agent *c)
{
	if (c == NULL)
		return;
	smtpd_client_destroy(c->client);
	free(c->site);
	free(c);
}

bool
smtpd__agent_is_open(const struct smtpd_agent *c)
{
	return c->site != NULL && c->requests < ERRANDS_MAX &&
	    smtpd__clock_ms() - c->opened < OPEN_MS;
}

void
smtpd__agent_quit(struct smtpd_agent *c)
{
	if (c->client != NULL)
		smtpd_client_quit(c->client);
	free(c->site);
	c->site = NULL;
}

bool
smtpd__agent_rules_is_cancelled(const struct smtpd_agent_attempt *t)
{
	return smtpd_cancel_is_triggered(t->agent->set->client->cancel);
}

bool
smtpd__agent_rules_is_own(
    const struct smtpd_agent_attempt *t, const struct smtpd_result *r)
{
	return smtpd__agent_rules_is_cancelled(t) ||
	    (r->code == 0 && strncmp(r->status, "4.3.", 4) == 0);
}

void
smtpd__agent_rules_soften(struct smtpd_result *r)
{
	r->outcome = SMTPD_OUTCOME_TEMPORARY;
	r->status[0] = '4';
}

/* The last host that spoke decides; those out of reach only when none did. */
void
smtpd__agent_rules_judge(struct smtpd_agent_attempt *t,
    enum smtpd_site_feedback verdict, const char *host,
    const struct smtpd_result *result)
{
	struct smtpd_delivery_result *end = t->end;

	if (verdict == SMTPD_SITE_DOWN && t->spoke)
		return;
	t->spoke = verdict != SMTPD_SITE_DOWN;
	end->verdict = verdict;
	if (verdict == SMTPD_SITE_FINE)
		return;
	smtpd__client_exchange_set_result(&end->why, SMTPD_OUTCOME_TEMPORARY,
	    result->phase, result->status, "%s: %s", host, result->text);
	end->why.code = result->code;
	smtpd__agent_rules_soften(&end->why);
}

/* Nobody has said anything of anybody yet. */
static int
begin(struct smtpd_agent_attempt *t)
{
	struct smtpd_delivery_request *e = t->request;

	for (size_t i = 0; i < e->nrcpts; i++) {
		struct smtpd_rcpt_progress *p = &e->rcpts[i];

		p->finished = false;
		p->host[0] = '\0';
		smtpd__client_exchange_set_result(&p->result,
		    SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_CONNECT, "4.3.0",
		    "out of memory");
	}
	t->rcpt_states = calloc(e->nrcpts + 1, sizeof(*t->rcpt_states));
	if (t->rcpt_states == NULL || smtpd__agent_hosts_order(t) != 0)
		return -1;
	for (size_t i = 0; i < e->nrcpts; i++)
		t->rcpt_states[i].stop = SMTPD_RELAY_FAILED;
	return 0;
}

/* Whether the open connection can serve this request: one that was made in
 * plain text, since TLS failed, none that has to wait for that. */
static bool
is_of_use(const struct smtpd_agent *c, const struct smtpd_delivery_request *e)
{
	return smtpd__agent_is_open(c) &&
	    strcmp(c->site, e->route->site) == 0 &&
	    c->smarthost == e->route->smarthost &&
	    (c->security == e->route->security || e->plain_allowed);
}

/* Send over the connection that is open.  HOST is where it leads to, when it
 * was still of use; else "". */
static void
use_old(struct smtpd_agent_attempt *t, char host[256])
{
	struct smtpd_agent *c = t->agent;

	host[0] = '\0';
	if (c->site == NULL)
		return;
	if (!is_of_use(c, t->request)) {
		smtpd__agent_quit(c);
		return;
	}
	memcpy(host, c->stop.host, sizeof(c->stop.host));
	if (smtpd__agent_send(t, true) != 0)
		host[0] = '\0';
}

/* What is known of those who need another host. */
struct need {
	bool any;
	bool urgent; /* one of them was not put off, by a host that is well */
};

static struct need
find_need(const struct smtpd_agent_attempt *t)
{
	struct need need = { 0 };

	for (size_t i = 0; i < t->request->nrcpts; i++) {
		if (!smtpd__agent_rules_is_pending(&t->rcpt_states[i]))
			continue;
		need.any = true;
		need.urgent = need.urgent || t->rcpt_states[i].put_off == 0;
	}
	return need;
}

/* Go from host to host, but not to the one at DONE.  For who was only put off
 * it is not worth while to wait for one that is likely dead. */
static void
visit(struct smtpd_agent_attempt *t, const char *done)
{
	for (size_t i = 0; i < t->nhosts && t->sessions < SMTPD_AGENT_SESSIONS;
	    i++) {
		const struct smtpd_agent_host *host = &t->hosts[i];
		struct need need = find_need(t);

		if (!need.any || t->over || smtpd__agent_rules_is_cancelled(t))
			return;
		if (strcmp(host->targets->host, done) == 0 ||
		    (host->bad && !need.urgent))
			continue;
		if (smtpd__agent_connect(t, host) == 0)
			smtpd__agent_send(t, false);
	}
}

static void
conclude(struct smtpd_agent_attempt *t)
{
	const struct smtpd_delivery_request *e = t->request;
	bool cancelled = smtpd__agent_rules_is_cancelled(t);

	for (size_t i = 0; i < e->nrcpts; i++) {
		struct smtpd_result *r = &e->rcpts[i].result;

		if (cancelled && r->outcome == SMTPD_OUTCOME_TEMPORARY &&
		    r->code == 0)
			smtpd__client_exchange_set_result(r,
			    SMTPD_OUTCOME_TEMPORARY, r->phase, "4.3.2",
			    "the queue is being stopped");
		e->rcpts[i].finished = r->outcome == SMTPD_OUTCOME_SENT ||
		    r->outcome == SMTPD_OUTCOME_PERMANENT;
		if (r->outcome == SMTPD_OUTCOME_IN_DOUBT)
			t->end->in_doubt = true;
	}
	if (cancelled)
		t->end->verdict = SMTPD_SITE_FINE;
	t->end->dsn = t->sent && !t->without_dsn;
}

void
smtpd__agent_deliver(struct smtpd_agent *c,
    struct smtpd_delivery_request *request, struct smtpd_delivery_result *end)
{
	struct smtpd_agent_attempt t = {
		.agent = c, .request = request, .end = end
	};
	char done[sizeof(c->stop.host)];

	*end = (struct smtpd_delivery_result){ .verdict = SMTPD_SITE_FINE };
	if (begin(&t) == 0) {
		use_old(&t, done);
		visit(&t, done);
		conclude(&t);
		smtpd__agent_log(&t);
	}
	free(t.rcpt_states);
	free(t.hosts);
	free(t.targets);
}
