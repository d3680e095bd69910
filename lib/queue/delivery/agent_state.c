/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_state.h"

#include <stdlib.h>
#include <string.h>

#include "client/result.h"
#include "os/clock.h"
#include "queue/delivery/history.h"
#include "queue/delivery/throttle.h"

/* Limits of one connection. */
#define REQUESTS_MAX 100
#define OPEN_MS      300000

bool
smtpd__agent_state_is_full(const struct smtpd_agent *a)
{
	return a->mails_max > 0 && a->mails >= a->mails_max;
}

bool
smtpd__agent_state_is_open(const struct smtpd_agent *a)
{
	return a->site != NULL && a->requests < REQUESTS_MAX &&
	    !smtpd__agent_state_is_full(a) &&
	    smtpd__clock_ms() - a->opened < OPEN_MS;
}

/* Whether the open connection has what HOP demands of its host: one in plain
 * text since TLS failed serves only messages that need not wait for TLS, with
 * PLAIN_ALLOWED. */
static bool
has_policy(const struct smtpd_agent *a, const struct smtpd_route_hop *hop,
    bool plain_allowed)
{
	const struct smtpd_tls_policy *p =
	    smtpd__host_policy_of(&hop->policies, a->relay.host, &hop->policy);
	struct smtpd_tls_policy plain;

	if (p->refused != NULL)
		return false;
	if (strcmp(a->policy_id, p->id) == 0)
		return true;
	return plain_allowed && smtpd__tls_policy_fall_back(p, &plain) &&
	    strcmp(a->policy_id, plain.id) == 0;
}

bool
smtpd__agent_state_is_waiting(const struct smtpd_agent_attempt *t, size_t place)
{
	const struct smtpd_rcpt_state *state = &t->rcpt_states[place];

	return !state->finished &&
	    state->put_off[t->hop] < SMTPD_AGENT_DEFERRALS;
}

bool
smtpd__agent_state_is_on_route(
    const struct smtpd_agent *a, const struct smtpd_delivery_request *request)
{
	const struct smtpd_found_route *route = request->route;

	if (strcmp(a->site, route->site) != 0)
		return false;
	for (size_t i = 0; i < route->nhops; i++)
		if (route->hops[i].id == a->hop_id)
			return has_policy(
			    a, &route->hops[i], request->plain_allowed);
	return false;
}

bool
smtpd__agent_state_is_own(
    const struct smtpd_agent_attempt *t, const struct smtpd_result *r)
{
	return smtpd_cancel_is_triggered(t->cancel) ||
	    (r->code == 0 && strncmp(r->status, "4.3.", 4) == 0);
}

void
smtpd__agent_state_soften(struct smtpd_result *r)
{
	r->outcome = SMTPD_OUTCOME_TEMPORARY;
	r->status[0] = '4';
}

bool
smtpd__agent_state_is_lack(const struct smtpd_result *r)
{
	return r->outcome == SMTPD_OUTCOME_PERMANENT && r->code == 0 &&
	    (strcmp(r->status, "5.3.4") == 0 ||
		strcmp(r->status, "5.7.30") == 0 ||
		strcmp(r->status, "5.6.3") == 0 ||
		strcmp(r->status, "5.6.7") == 0);
}

void
smtpd__agent_state_fail_host(struct smtpd_agent_attempt *t,
    const struct smtpd_relay *relay, const struct smtpd_result *result)
{
	const struct smtpd_delivery_request *request = t->request;
	struct smtpd_result why = *result;

	smtpd__agent_state_soften(&why);
	t->relays[SMTPD_RELAY_FAILED] = *relay;
	smtpd__history_add_result(request->history, relay->host, result, NULL);
	for (size_t i = 0; i < request->nrcpts; i++) {
		struct smtpd_rcpt_progress *p = &request->rcpts[i];
		struct smtpd_text text;

		if (t->rcpt_states[i].has_result)
			continue;
		p->result = why;
		smtpd__text_init(&text, p->host, sizeof(p->host));
		smtpd__text_add(&text, relay->host);
	}
}

void
smtpd__agent_state_judge(struct smtpd_agent_attempt *t,
    enum smtpd_site_feedback feedback, const char *host,
    const struct smtpd_result *result)
{
	struct smtpd_delivery_result *end = t->end;
	bool spoke = feedback == SMTPD_SITE_FINE || feedback == SMTPD_SITE_BUSY;

	if (!spoke && t->spoke)
		return;
	if (feedback == SMTPD_SITE_OFFLINE && end->feedback == SMTPD_SITE_DOWN)
		return;
	t->spoke = spoke;
	end->feedback = feedback;
	if (feedback == SMTPD_SITE_FINE)
		return;
	smtpd__result_set(&end->why, SMTPD_OUTCOME_TEMPORARY, result->phase,
	    result->status, "%s: %s", host, result->text);
	end->why.code = result->code;
	smtpd__agent_state_soften(&end->why);
}

void
smtpd__agent_state_note_sign(
    struct smtpd_agent_attempt *t, const struct smtpd_result *r)
{
	struct smtpd_shaping_signs *signs = &t->end->signs;
	enum smtpd_throttle throttle = smtpd__throttle_read(r);

	if (throttle > signs->throttle)
		signs->throttle = throttle;
}

void
smtpd__agent_state_tell_sent(struct smtpd_agent_attempt *t)
{
	if (t->untold && t->request->sent != NULL)
		t->request->sent(t->request->user, !t->without_dsn);
	t->untold = false;
}

void
smtpd__agent_state_quit(struct smtpd_agent *a)
{
	if (a->client != NULL)
		smtpd_client_quit(a->client);
	free(a->site);
	a->site = NULL;
	a->ahead = NULL;
}

void
smtpd__agent_state_log_relay(const struct smtpd_agent_attempt *t, bool reused)
{
	const struct smtpd_relay *relay = &t->agent->relay;
	bool plain = strcmp(relay->tls, "none") == 0;
	char more[128];
	struct smtpd_text text;

	smtpd__text_init(&text, more, sizeof(more));
	if (strcmp(relay->wanted, SMTPD_TLS_POLICY_OPPORTUNISTIC) != 0)
		smtpd__text_format(&text, ", wanted %s", relay->wanted);
	if (relay->record[0] != '\0')
		smtpd__text_format(&text, ", TLSA %s", relay->record);
	smtpd__history_add(t->request->history, "%s [%s]:%u: %s%s%s",
	    relay->host, relay->address, (unsigned)relay->port,
	    reused ? "connection kept open, " : "",
	    plain ? "not encrypted" : relay->tls, more);
}

void
smtpd__agent_state_log_conversion(const struct smtpd_agent_attempt *t)
{
	static const char *const words[] = {
		[SMTPD_CONVERSION_DONE] = "converted",
		[SMTPD_CONVERSION_SIGNED] =
		    "not converted, which would break its signature",
		[SMTPD_CONVERSION_FIXED] =
		    "not converted, since a part must stay as it is",
		[SMTPD_CONVERSION_TOO_LARGE] =
		    "not converted, since it would be too large then",
	};
	const struct smtpd_agent *a = t->agent;
	const struct smtpd_loaded_message *loaded = t->request->loaded;
	const enum smtpd_conversion done = smtpd_client_conversion(a->client);
	const char *reason = "it has lines of more than 998 octets";

	if (done == SMTPD_CONVERSION_NONE)
		return;
	if (loaded->envelope.eight_bit && !a->eight_bit)
		reason = "8BITMIME is not offered";
	smtpd__history_add(t->request->history, "%s: %s: the message was %s",
	    a->relay.host, reason, words[done]);
	smtpd__history_log_conversion(
	    &a->set->logger, loaded, a->relay.host, reason, words[done]);
}
