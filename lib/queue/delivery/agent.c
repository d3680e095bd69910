/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent.h"

#include <stdlib.h>
#include <string.h>

#include "client/result.h"
#include "os/clock.h"
#include "queue/delivery/agent_connect.h"
#include "queue/delivery/agent_hosts.h"
#include "queue/delivery/agent_send.h"
#include "queue/delivery/history.h"
#include "queue/delivery/sender_policy.h"

/* After so long no other host is asked. */
#define HOSTS_MS 600000

struct smtpd_agent *
smtpd__agent_create(const struct smtpd_agent_settings *settings)
{
	struct smtpd_agent *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->set = settings;
	a->mail = &a->slots[0];
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

void
smtpd__agent_forget(
    struct smtpd_agent *a, const struct smtpd_loaded_message *loaded)
{
	if (a->ahead == loaded)
		smtpd__agent_state_quit(a);
}

bool
smtpd__agent_is_open(const struct smtpd_agent *a)
{
	return smtpd__agent_state_is_open(a);
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
	t->relays = calloc(request->route->nhops * SMTPD_AGENT_SESSIONS + 1,
	    sizeof(*t->relays));
	if (t->rcpt_states == NULL || t->relays == NULL ||
	    smtpd__agent_hosts_order(t) == -1)
		return -1;
	for (size_t i = 0; i < request->nrcpts; i++)
		t->rcpt_states[i].relay = SMTPD_RELAY_FAILED;
	return 0;
}

/* Whether no other host is asked, and none again. */
static bool
is_late(const struct smtpd_agent_attempt *t)
{
	return t->over || smtpd_cancel_is_triggered(t->cancel) ||
	    smtpd__clock_ms() - t->began > HOSTS_MS;
}

/* The next host is asked for all recipients. */
static void
forget_left_over(struct smtpd_agent_attempt *t)
{
	for (size_t i = 0; i < t->request->nrcpts; i++)
		t->rcpt_states[i].left_over = false;
}

/* Send over the connection that is open, if there is one that can serve the
 * request.  HOST becomes the host that was asked so, or "". */
static void
reuse_connection(struct smtpd_agent_attempt *t, char host[SMTPD_HOSTNAME_SIZE])
{
	struct smtpd_agent *a = t->agent;

	host[0] = '\0';
	if (a->site == NULL)
		return;
	if (!smtpd__agent_state_is_open(a) ||
	    smtpd__agent_hosts_others_wait(t) ||
	    !smtpd__agent_state_is_on_route(a, t->request) ||
	    (a->ahead != NULL && a->ahead != t->request->loaded) ||
	    smtpd__sender_policy_differs(&t->request->loaded->envelope)) {
		smtpd__agent_state_quit(a);
		return;
	}
	memcpy(host, a->relay.host, sizeof(a->relay.host));
	for (t->hop = 0; t->request->route->hops[t->hop].id != a->hop_id;)
		t->hop++;
	smtpd__hoststat_note(
	    a->set->hosts, &a->peer, SMTPD_HOST_USED, smtpd__clock_ms());
	if (smtpd__agent_send(t, true) == -1) {
		forget_left_over(t);
		host[0] = '\0';
	}
}

/* Whether A is as good as B, as far as the route says. */
static bool
is_equal(const struct smtpd_agent_host *a, const struct smtpd_agent_host *b)
{
	return a->hop == b->hop && a->down == b->down &&
	    a->targets->preference == b->targets->preference;
}

/* If the host number I, which is connected to, does not take the content as it
 * is, though an equal one may, leave it, and have it be the last of those.
 * Return whether it is. */
static bool
put_behind(struct smtpd_agent_attempt *t, size_t i)
{
	struct smtpd_agent_host host = t->hosts[i];
	size_t last = i;

	if (!t->request->loaded->envelope.eight_bit || host.last ||
	    smtpd_client_offers(t->agent->client, "8BITMIME") != NULL)
		return false;
	while (last + 1 < t->nhosts && !t->hosts[last + 1].last &&
	    is_equal(&t->hosts[last + 1], &host))
		last++;
	if (last == i)
		return false;
	smtpd__agent_state_quit(t->agent);
	memmove(&t->hosts[i], &t->hosts[i + 1], (last - i) * sizeof(host));
	host.last = true;
	t->hosts[last] = host;
	return true;
}

/* Send to the host number I, over as many connections as it takes.  Return
 * false if it was put behind others. */
static bool
try_host(struct smtpd_agent_attempt *t, size_t i)
{
	bool connected = smtpd__agent_connect(t, &t->hosts[i]) == 0;

	if (connected && put_behind(t, i))
		return false;
	while (connected && smtpd__agent_send(t, false) == -1 && !is_late(t))
		connected = smtpd__agent_connect(t, &t->hosts[i]) == 0;
	return true;
}

/* Whether HOST, of the hop that is being tried, is to be asked for some
 * recipient.  One that was only deferred does not make it worth while to wait
 * for a host that is likely down. */
static bool
is_wanted(
    const struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	if (t->hop_sessions[t->hop] == SMTPD_AGENT_SESSIONS)
		return false;
	for (size_t i = 0; i < t->request->nrcpts; i++)
		if (smtpd__agent_state_is_waiting(t, i) &&
		    (!host->down || t->rcpt_states[i].deferred == 0))
			return true;
	return false;
}

/* Try host after host, each over as many connections as it takes, but not the
 * one called DONE of the hop DONE_ID. */
static void
try_hosts(struct smtpd_agent_attempt *t, const char *done, uint64_t done_id)
{
	for (size_t i = 0; i < t->nhosts && !is_late(t); i++) {
		const struct smtpd_agent_host *host = &t->hosts[i];

		t->hop = (size_t)(host->hop - t->request->route->hops);
		if (!is_wanted(t, host) ||
		    (host->hop->id == done_id &&
			strcmp(host->targets->host, done) == 0))
			continue;
		smtpd__agent_state_tell_sent(t);
		if (!try_host(t, i))
			i--;
		forget_left_over(t);
	}
}

/* Log the results, each with the host that it comes from. */
static void
log_results(const struct smtpd_agent_attempt *t)
{
	const struct smtpd_logger *logger = &t->agent->set->logger;
	const struct smtpd_delivery_request *request = t->request;

	if (!smtpd__logger_wants(logger, SMTPD_LOG_INFO))
		return;
	for (size_t i = 0; i < request->nrcpts; i++) {
		const struct smtpd_relay *r =
		    &t->relays[t->rcpt_states[i].relay];
		char relay[SMTPD_LOGGER_LINE_SIZE];
		struct smtpd_text text;

		smtpd__text_init(&text, relay, sizeof(relay));
		if (r->host[0] == '\0')
			smtpd__text_add(&text, SMTPD_HISTORY_NO_RELAY);
		else if (*r->host == '/')
			smtpd__text_format(
			    &text, "relay=%s tls=%s", r->host, r->tls);
		else if (*r->host == '[')
			smtpd__text_format(&text, "relay=%s:%u tls=%s", r->host,
			    (unsigned)r->port, r->tls);
		else
			smtpd__text_format(&text, "relay=%s[%s]:%u tls=%s",
			    r->host, r->address, (unsigned)r->port, r->tls);
		if (r->wanted != NULL)
			smtpd__text_format(&text, " wanted=%s reached=%s",
			    r->wanted, r->reached);
		if (r->failure != NULL && r->failure[0] != '\0')
			smtpd__text_format(&text, " failure=%s", r->failure);
		if (request->attempt > 0)
			smtpd__text_format(
			    &text, " attempt=%u", request->attempt);
		smtpd__history_log_result(
		    logger, request->loaded, &request->rcpts[i], relay);
	}
}

/* How many hosts may reply at most. */
static size_t
count_hosts(const struct smtpd_agent_attempt *t)
{
	size_t of_hop[SMTPD_ROUTE_TARGETS_MAX] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < t->nhosts; i++) {
		size_t hop =
		    (size_t)(t->hosts[i].hop - t->request->route->hops);

		if (of_hop[hop]++ < SMTPD_AGENT_SESSIONS)
			count++;
	}
	return count;
}

static void
end_attempt(struct smtpd_agent_attempt *t)
{
	const struct smtpd_delivery_request *request = t->request;
	bool cancelled = smtpd_cancel_is_triggered(t->cancel);
	const size_t asked = count_hosts(t);
	bool all_finished = true;

	for (size_t i = 0; i < request->nrcpts; i++) {
		struct smtpd_result *r = &request->rcpts[i].result;

		/* A host that did not answer may have what others lack. */
		if (smtpd__agent_state_is_lack(r) &&
		    t->rcpt_states[i].lacking < asked)
			smtpd__agent_state_soften(r);
		if (cancelled && r->outcome == SMTPD_OUTCOME_TEMPORARY &&
		    r->code == 0)
			smtpd__result_set(r, SMTPD_OUTCOME_TEMPORARY, r->phase,
			    "4.3.2", "the queue is being stopped");
		request->rcpts[i].finished = r->outcome == SMTPD_OUTCOME_SENT ||
		    r->outcome == SMTPD_OUTCOME_PERMANENT;
		if (r->outcome == SMTPD_OUTCOME_IN_DOUBT)
			t->end->in_doubt = true;
		all_finished = all_finished && request->rcpts[i].finished;
	}
	/* What came too fast for one target went on to the next. */
	if (request->route->nhops > 1 && all_finished)
		t->end->signs.throttle = SMTPD_THROTTLE_NONE;
	if (cancelled)
		t->end->feedback = SMTPD_SITE_UNTOLD;
	t->end->dsn = t->sent && !t->without_dsn;
	t->end->signs.accepted = t->sent;
}

void
smtpd__agent_deliver(struct smtpd_agent *a,
    struct smtpd_delivery_request *request, struct smtpd_delivery_result *end)
{
	struct smtpd_agent_attempt t = {
		.agent = a,
		.request = request,
		.end = end,
		.cancel = a->set->client->cancel,
		.began = smtpd__clock_ms(),
	};
	const uint64_t done_id = a->hop_id;
	char done[sizeof(a->relay.host)];

	*end = (struct smtpd_delivery_result){ .feedback = SMTPD_SITE_UNTOLD };
	a->mails_max = request->mails_max;
	if (begin_attempt(&t) == 0) {
		reuse_connection(&t, done);
		try_hosts(&t, done, done_id);
		end_attempt(&t);
		log_results(&t);
	}
	end->took_ms = smtpd__clock_ms() - t.began;
	free(t.relays);
	free(t.rcpt_states);
	free(t.hosts);
	free(t.targets);
}
