/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "client/exchange.h"
#include "net/socket.h"
#include "os/clock.h"
#include "queue/delivery/agent_state.h"

static bool
is_bad(const struct smtpd_agent_attempt *t, const struct smtpd_target *target)
{
	return smtpd__hoststat_is_down(
	    t->agent->set->hosts, target, smtpd__clock_ms());
}

/* How many of the COUNT addresses at TARGETS are those of the first host. */
static size_t
count_same(const struct smtpd_target *targets, size_t count)
{
	size_t n = 1;

	while (n < count && strcmp(targets[n].host, targets[0].host) == 0)
		n++;
	return n;
}

/* Copy the addresses of one host to TO, those that are not bad first. */
static struct smtpd_agent_host
copy_host(const struct smtpd_agent_attempt *t, const struct smtpd_target *from,
    size_t count, struct smtpd_target *to)
{
	struct smtpd_agent_host host = { .targets = to, .count = count };
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_bad(t, &from[i]))
			to[count - ++bad] = from[i];
		else
			to[good++] = from[i];
	}
	/* Those came in from the end. */
	for (size_t i = good, k = count; i + 1 < k; i++) {
		struct smtpd_target swap = to[i];

		to[i] = to[--k];
		to[k] = swap;
	}
	host.bad = good == 0;
	return host;
}

/* Put those that are BAD, or those that are not, of ALL into the attempt. */
static void
take_hosts(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *all,
    size_t count, bool bad)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].bad == bad)
			t->hosts[t->nhosts++] = all[i];
}

int
smtpd__agent_hosts_order(struct smtpd_agent_attempt *t)
{
	const struct smtpd_targets *from = t->request->route->targets;
	struct smtpd_agent_host *all = calloc(from->count, sizeof(*all));
	size_t nall = 0;
	int status = -1;

	t->targets = calloc(from->count, sizeof(*t->targets));
	t->hosts = calloc(from->count, sizeof(*t->hosts));
	if (all == NULL || t->targets == NULL || t->hosts == NULL)
		goto out;
	for (size_t at = 0; at < from->count; at += all[nall++].count)
		all[nall] = copy_host(t, from->list + at,
		    count_same(from->list + at, from->count - at),
		    t->targets + at);
	take_hosts(t, all, nall, false);
	take_hosts(t, all, nall, true);
	status = 0;
out:
	free(all);
	return status;
}

/* A client for SECURITY and the smarthost of the route.  Only that one is ever
 * told a password. */
static int
prepare_client(struct smtpd_agent_attempt *t, enum smtpd_security security)
{
	struct smtpd_agent *c = t->agent;
	const struct smtpd_smarthost *smart = t->request->route->smarthost;
	struct smtpd_client_settings s = *c->set->client;

	if (c->client != NULL && c->security == security &&
	    c->smarthost == smart)
		return 0;
	s.security = security;
	s.user = smart != NULL ? smart->user : NULL;
	s.password = smart != NULL ? smart->password : NULL;
	if (smart != NULL)
		s.tls_first = smart->tls_first;
	smtpd_client_destroy(c->client);
	c->client = smtpd_client_create(&s);
	c->security = security;
	c->smarthost = smart;
	return c->client != NULL ? 0 : -1;
}

/* The number of the address of HOST that the client was connected to; as many
 * as there are: of none. */
static size_t
find_peer(
    const struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	const char *peer = smtpd_client_peer(t->agent->client);
	char address[64];
	size_t i;

	for (i = 0; i < host->count; i++) {
		const struct smtpd_sockaddr a = { host->targets[i].addr,
			host->targets[i].len };

		smtpd__socket_host(&a, address, sizeof(address));
		if (strcmp(address, peer) == 0)
			break;
	}
	return i;
}

/* The first COUNT addresses of HOST did not answer. */
static void
note_failed(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		smtpd__hoststat_failed(
		    t->agent->set->hosts, &host->targets[i], smtpd__clock_ms());
}

/* All before the address that answered did not, or not in time. */
static void
note_worked(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	size_t peer = find_peer(t, host);

	if (peer == host->count)
		return;
	note_failed(t, host, peer);
	smtpd__hoststat_worked(t->agent->set->hosts, &host->targets[peer]);
}

static void
write_tls(const struct smtpd_client_tls_info *tls, char *out, size_t size)
{
	struct smtpd_text text;

	smtpd__text_init(&text, out, size);
	if (tls == NULL)
		smtpd__text_add(&text, "none");
	else
		smtpd__text_format(&text, "%s/%s/%s", tls->version, tls->cipher,
		    tls->verified ? "verified" : "unverified");
}

/* Where the client is, or was. */
static void
describe(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, struct smtpd_relay *stop)
{
	const struct smtpd_client *client = t->agent->client;
	struct smtpd_text text;

	smtpd__text_init(&text, stop->host, sizeof(stop->host));
	smtpd__text_add(&text, host->targets->host);
	smtpd__text_init(&text, stop->address, sizeof(stop->address));
	stop->port = t->request->route->port;
	if (client == NULL) {
		write_tls(NULL, stop->tls, sizeof(stop->tls));
		return;
	}
	smtpd__text_add(&text, smtpd_client_peer(client));
	write_tls(smtpd_client_tls(client), stop->tls, sizeof(stop->tls));
}

/* Where it is open, remember what it can be used for. */
static int
keep(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	struct smtpd_agent *c = t->agent;

	c->site = strdup(t->request->route->site);
	if (c->site == NULL) {
		smtpd_client_quit(c->client);
		return -1;
	}
	describe(t, host, &c->stop);
	c->opened = smtpd__clock_ms();
	c->requests = 0;
	note_worked(t, host);
	smtpd__agent_log_relay(t, &c->stop, false);
	return 0;
}

/* All who were told nothing yet learn WHY; HOST said so, or is "". */
static void
spread(struct smtpd_agent_attempt *t, const char *host,
    const struct smtpd_result *why)
{
	const struct smtpd_delivery_request *e = t->request;

	for (size_t i = 0; i < e->nrcpts; i++) {
		struct smtpd_text text;

		if (t->rcpt_states[i].told)
			continue;
		e->rcpts[i].result = *why;
		smtpd__text_init(
		    &text, e->rcpts[i].host, sizeof(e->rcpts[i].host));
		smtpd__text_add(&text, host);
	}
}

/* The host at STOP is of no use, as RESULT says: not for good, whatever it
 * thinks of us. */
static void
fail(struct smtpd_agent_attempt *t, const struct smtpd_relay *stop,
    const struct smtpd_result *result)
{
	struct smtpd_result why = *result;
	bool reached = why.phase != SMTPD_PHASE_CONNECT;

	if (!reached)
		smtpd__client_exchange_set_result(&why, SMTPD_OUTCOME_TEMPORARY,
		    result->phase, result->status, "%s: %s", stop->host,
		    result->text);
	smtpd__agent_rules_soften(&why);
	t->stops[SMTPD_RELAY_FAILED] = *stop;
	smtpd__agent_log_result(t, stop, result);
	spread(t, reached ? stop->host : "", &why);
}

static bool
is_busy(const struct smtpd_result *r)
{
	return r->code == 421 ||
	    (r->phase == SMTPD_PHASE_GREETING && r->code / 100 == 4);
}

/* What a failure to connect means for the host and its site. */
static void
learn(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host,
    const struct smtpd_result *r)
{
	bool mute = r->phase == SMTPD_PHASE_CONNECT ||
	    (r->phase == SMTPD_PHASE_GREETING && r->code == 0);

	if (smtpd__agent_rules_is_own(t, r)) {
		t->over = true;
		return;
	}
	if (mute)
		note_failed(t, host, host->count);
	smtpd__agent_rules_judge(t,
	    is_busy(r) ? SMTPD_SITE_BUSY : SMTPD_SITE_DOWN, host->targets->host,
	    r);
}

static int
no_memory(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	struct smtpd_result why;
	struct smtpd_relay stop;

	smtpd__client_exchange_set_result(&why, SMTPD_OUTCOME_TEMPORARY,
	    SMTPD_PHASE_CONNECT, "4.3.0", "out of memory");
	describe(t, host, &stop);
	t->over = true;
	fail(t, &stop, &why);
	return -1;
}

static int
try(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host,
    enum smtpd_security security)
{
	struct smtpd_agent *c = t->agent;
	struct smtpd_relay stop;

	smtpd__agent_quit(c);
	if (prepare_client(t, security) != 0)
		return no_memory(t, host);
	if (smtpd_client_connect(c->client, host->targets, host->count,
		t->request->route->port) == 0)
		return keep(t, host) == 0 ? 0 : no_memory(t, host);
	describe(t, host, &stop);
	fail(t, &stop, smtpd_client_result(c->client));
	learn(t, host, smtpd_client_result(c->client));
	return -1;
}

/* Whether TLS is only nice to have. */
static bool
is_optional(const struct smtpd_agent_attempt *t)
{
	const struct smtpd_route *route = t->request->route;
	bool first = route->smarthost != NULL
	    ? route->smarthost->tls_first
	    : t->agent->set->client->tls_first;

	return route->security == SMTPD_SECURITY_OPPORTUNISTIC && !first &&
	    (route->smarthost == NULL || route->smarthost->user == NULL);
}

static bool
is_broken(
    const struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	for (size_t i = 0; i < host->count; i++)
		if (smtpd__hoststat_tls_is_broken(t->agent->set->hosts,
			&host->targets[i], smtpd__clock_ms()))
			return true;
	return false;
}

/* Whether the last try failed since TLS did. */
static bool
has_tls_failed(const struct smtpd_agent_attempt *t)
{
	const struct smtpd_client *client = t->agent->client;
	const struct smtpd_result *r;

	if (client == NULL || t->over)
		return false;
	r = smtpd_client_result(client);
	return r->phase == SMTPD_PHASE_TLS && r->code == 0;
}

static void
note_tls_failed(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	size_t peer = find_peer(t, host);

	if (peer < host->count)
		smtpd__hoststat_tls_failed(t->agent->set->hosts,
		    &host->targets[peer], smtpd__clock_ms());
}

/* HOST is not asked, since its TLS is known to fail: only this message has to
 * wait for plain text. */
static void
pass_by(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	struct smtpd_relay stop = { .port = t->request->route->port };
	struct smtpd_result why;
	struct smtpd_text text;

	smtpd__text_init(&text, stop.host, sizeof(stop.host));
	smtpd__text_add(&text, host->targets->host);
	write_tls(NULL, stop.tls, sizeof(stop.tls));
	smtpd__client_exchange_set_result(&why, SMTPD_OUTCOME_TEMPORARY,
	    SMTPD_PHASE_CONNECT, "4.7.0",
	    "TLS failed there lately; plain text only after the message has "
	    "waited");
	fail(t, &stop, &why);
	smtpd__agent_rules_judge(t, SMTPD_SITE_FINE, stop.host, &why);
}

int
smtpd__agent_connect(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	bool plain = t->request->plain_allowed;

	if (!is_optional(t))
		return try(t, host, t->request->route->security);
	if (is_broken(t, host) && !plain) {
		pass_by(t, host);
		return -1;
	}
	if (is_broken(t, host))
		return try(t, host, SMTPD_SECURITY_NONE);
	if (try(t, host, SMTPD_SECURITY_OPPORTUNISTIC) == 0)
		return 0;
	if (!has_tls_failed(t))
		return -1;
	note_tls_failed(t, host);
	if (plain)
		return try(t, host, SMTPD_SECURITY_NONE);
	smtpd__agent_rules_judge(t, SMTPD_SITE_FINE, host->targets->host,
	    smtpd_client_result(t->agent->client));
	return -1;
}
