/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent.h"

#include <stdlib.h>
#include <string.h>

#include "client/result.h"
#include "os/clock.h"
#include "queue/delivery/agent_connect.h"
#include "queue/delivery/agent_hosts.h"
#include "queue/delivery/agent_log.h"
#include "queue/delivery/agent_rules.h"
#include "queue/delivery/agent_send.h"

/* Limits of one connection. */
#define REQUESTS_MAX 100
#define OPEN_MS      300000

struct smtpd_agent *
smtpd__agent_create(const struct smtpd_agent_settings *settings)
{
	struct smtpd_agent *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->set = settings;
	return a;
}

void
smtpd__agent_destroy(struct smtpd_agent *a)
{
	if (a == NULL)
		return;
	smtpd_client_destroy(a->client);
	free(a->site);
	free(a);
}

bool
smtpd__agent_is_open(const struct smtpd_agent *a)
{
	return a->site != NULL && a->requests < REQUESTS_MAX &&
	    smtpd__clock_ms() - a->opened < OPEN_MS;
}

void
smtpd__agent_quit(struct smtpd_agent *a)
{
	smtpd__agent_rules_quit(a);
}

/* No recipient has a result from a host yet. */
static int
begin_attempt(struct smtpd_agent_attempt *t)
{
	struct smtpd_delivery_request *request = t->request;

	for (size_t i = 0; i < request->nrcpts; i++) {
		struct smtpd_rcpt_progress *p = &request->rcpts[i];

		p->finished = false;
		p->host[0] = '\0';
		smtpd__result_set(&p->result, SMTPD_OUTCOME_TEMPORARY,
		    SMTPD_PHASE_CONNECT, "4.3.0", "out of memory");
	}
	t->rcpt_states = calloc(request->nrcpts + 1, sizeof(*t->rcpt_states));
	if (t->rcpt_states == NULL || smtpd__agent_hosts_order(t) == -1)
		return -1;
	for (size_t i = 0; i < request->nrcpts; i++)
		t->rcpt_states[i].relay = SMTPD_RELAY_FAILED;
	return 0;
}

/* Whether the open connection can serve the request.  One that is in plain text
 * since TLS failed serves only messages that need not wait for TLS. */
static bool
is_reusable(
    const struct smtpd_agent *a, const struct smtpd_delivery_request *request)
{
	const struct smtpd_route *route = request->route;

	return smtpd__agent_is_open(a) && strcmp(a->site, route->site) == 0 &&
	    a->smarthost == route->smarthost &&
	    (strcmp(a->policy_id, route->policy.id) == 0 ||
		request->plain_allowed);
}

/* Send over the connection that is open, if there is one that can serve the
 * request.  HOST becomes the host that was asked so, or "". */
static void
reuse_connection(struct smtpd_agent_attempt *t, char host[256])
{
	struct smtpd_agent *a = t->agent;

	host[0] = '\0';
	if (a->site == NULL)
		return;
	if (!is_reusable(a, t->request)) {
		smtpd__agent_rules_quit(a);
		return;
	}
	memcpy(host, a->relay.host, sizeof(a->relay.host));
	if (smtpd__agent_send(t, true) == -1)
		host[0] = '\0';
}

/* Whether a recipient is pending; *URGENT: one of them was not deferred by a
 * host that answered. */
static bool
is_pending(const struct smtpd_agent_attempt *t, bool *urgent)
{
	bool any = false;

	*urgent = false;
	for (size_t i = 0; i < t->request->nrcpts; i++) {
		if (!smtpd__agent_rules_is_pending(&t->rcpt_states[i]))
			continue;
		any = true;
		*urgent = *urgent || t->rcpt_states[i].deferred == 0;
	}
	return any;
}

/* Try host after host, but not the one called DONE.  A recipient that was only
 * deferred does not make it worth while to wait for a host that is likely down.
 */
static void
try_hosts(struct smtpd_agent_attempt *t, const char *done)
{
	for (size_t i = 0; i < t->nhosts && t->sessions < SMTPD_AGENT_SESSIONS;
	    i++) {
		const struct smtpd_agent_host *host = &t->hosts[i];
		bool urgent;

		if (!is_pending(t, &urgent) || t->over ||
		    smtpd__agent_rules_is_cancelled(t))
			return;
		if (strcmp(host->targets->host, done) == 0 ||
		    (host->down && !urgent))
			continue;
		if (smtpd__agent_connect(t, host) == 0)
			smtpd__agent_send(t, false);
	}
}

static void
end_attempt(struct smtpd_agent_attempt *t)
{
	const struct smtpd_delivery_request *request = t->request;
	bool cancelled = smtpd__agent_rules_is_cancelled(t);

	for (size_t i = 0; i < request->nrcpts; i++) {
		struct smtpd_result *r = &request->rcpts[i].result;

		if (cancelled && r->outcome == SMTPD_OUTCOME_TEMPORARY &&
		    r->code == 0)
			smtpd__result_set(r, SMTPD_OUTCOME_TEMPORARY, r->phase,
			    "4.3.2", "the queue is being stopped");
		request->rcpts[i].finished = r->outcome == SMTPD_OUTCOME_SENT ||
		    r->outcome == SMTPD_OUTCOME_PERMANENT;
		if (r->outcome == SMTPD_OUTCOME_IN_DOUBT)
			t->end->in_doubt = true;
	}
	if (cancelled)
		t->end->feedback = SMTPD_SITE_FINE;
	t->end->dsn = t->sent && !t->without_dsn;
}

void
smtpd__agent_deliver(struct smtpd_agent *a,
    struct smtpd_delivery_request *request, struct smtpd_delivery_result *end)
{
	struct smtpd_agent_attempt t = {
		.agent = a, .request = request, .end = end
	};
	char done[sizeof(a->relay.host)];

	*end = (struct smtpd_delivery_result){ .feedback = SMTPD_SITE_FINE };
	if (begin_attempt(&t) == 0) {
		reuse_connection(&t, done);
		try_hosts(&t, done);
		end_attempt(&t);
		smtpd__agent_log(&t);
	}
	free(t.rcpt_states);
	free(t.hosts);
	free(t.targets);
}
