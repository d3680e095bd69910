/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/exchange.h"
#include "client/result.h"
#include "client/starttls.h"
#include "client/transaction.h"
#include "grammar/ehlo_limits.h"
#include "net/socket.h"
#include "os/clock.h"
#include "queue/delivery/agent_pass.h"
#include "queue/delivery/history.h"
#include "queue/delivery/route_sts.h"
#include "queue/delivery/sender_policy.h"
#include "queue/delivery/tls_count.h"

#define DAY_MS 86400000

/* Have S do as TARGET, of a route, says; ROOM is for the sources. */
static void
set_target(const struct smtpd_table_target *target,
    struct smtpd_source room[SMTPD_SOURCES_MAX],
    struct smtpd_client_settings *s)
{
	const struct smtpd_route_target *set = &target->set;

	s->user = set->user;
	s->password = set->password;
	s->credentials = set->credentials;
	s->credentials_user = set->credentials_user;
	s->mechanisms = set->mechanisms;
	s->lmtp = set->kind == SMTPD_ROUTE_LMTP;
	if (target->sources != NULL)
		smtpd__source_copy_use(target->sources, room, s);
}

/* Have a client with the protocol, the login and the sources of HOP, and no
 * other's. */
static int
prepare_client(struct smtpd_agent_attempt *t, const struct smtpd_route_hop *hop)
{
	struct smtpd_agent *a = t->agent;
	struct smtpd_client_settings s = *a->set->client;
	struct smtpd_source room[SMTPD_SOURCES_MAX];

	if (a->client != NULL && a->hop_id == hop->id)
		return 0;
	if (hop->target != NULL)
		set_target(hop->target, room, &s);
	smtpd_client_destroy(a->client);
	a->client = smtpd_client_create(&s);
	a->hop_id = hop->id;
	return a->client != NULL ? 0 : -1;
}

/* The number of the address of HOST that the client was connected to; their
 * count when it was none of them. */
static size_t
find_peer(
    const struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	const char *peer = smtpd_client_peer(t->agent->client);
	char address[SMTPD_ADDRESS_TEXT_SIZE];
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
		smtpd__hoststat_note(t->agent->set->hosts, &host->targets[i],
		    SMTPD_HOST_SILENT, smtpd__clock_ms());
}

/* Fill in where the client is, or was, under POLICY. */
static void
describe_relay(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy,
    struct smtpd_relay *relay)
{
	const struct smtpd_client *client = t->agent->client;
	const struct smtpd_tls_outcome *outcome;
	struct smtpd_text text;

	*relay = (struct smtpd_relay){
		.port = host->hop->port,
		.wanted = smtpd__tls_policy_wanted(policy),
		.reached = smtpd__tls_policy_reached(SMTPD_TLS_REACHED_NONE),
	};
	smtpd__text_init(&text, relay->host, sizeof(relay->host));
	smtpd__text_add(&text, host->targets->host);
	smtpd__text_init(&text, relay->address, sizeof(relay->address));
	if (client != NULL)
		smtpd__text_add(&text, smtpd_client_peer(client));
	smtpd__text_init(&text, relay->tls, sizeof(relay->tls));
	smtpd__text_add(&text,
	    client != NULL ? smtpd__client_starttls_text(client) : "none");
	if (client == NULL)
		return;
	outcome = smtpd__client_starttls_outcome(client);
	relay->reached = smtpd__tls_policy_reached(outcome->reached);
	memcpy(relay->record, outcome->record, sizeof(relay->record));
}

/* Days since 1970. */
static uint32_t
count_days(void)
{
	return (uint32_t)(smtpd__clock_wall_ms() / DAY_MS);
}

/* Remember what is known now of the addresses of HOST, one of which is
 * connected to, and use what is known of that one. */
static void
note_peer(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	struct smtpd_agent *a = t->agent;
	struct smtpd_hoststat *hosts = a->set->hosts;
	uint64_t now = smtpd__clock_ms();
	size_t peer = find_peer(t, host);

	a->peer = (struct smtpd_target){ 0 };
	if (peer == host->count)
		return;
	a->peer = host->targets[peer];
	/* All addresses before it did not answer, or not in time. */
	note_failed(t, host, peer);
	smtpd__hoststat_note(hosts, &a->peer, SMTPD_HOST_ANSWERED, now);
	smtpd__hoststat_note(hosts, &a->peer, SMTPD_HOST_USED, now);
	a->opening = t->opening;
	if (smtpd_client_tls(a->client) != NULL)
		smtpd__hoststat_note(
		    hosts, &a->peer, SMTPD_HOST_TLS_WORKED, now);
	if (smtpd_client_tls(a->client) != NULL && a->set->memory != NULL)
		smtpd__tls_memory_note(
		    a->set->memory, host->targets->host, count_days());
	smtpd__client_transaction_set_bdat(a->client,
	    !smtpd__hoststat_is(hosts, &a->peer, SMTPD_HOST_WITHOUT_BDAT, now));
	smtpd__client_transaction_set_pipelining(a->client,
	    !smtpd__hoststat_is(
		hosts, &a->peer, SMTPD_HOST_WITHOUT_GROUPS, now));
}

/* Remember what the open connection to HOST can be used for. */
static int
keep_connection(struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	struct smtpd_agent *a = t->agent;

	a->site = strdup(t->request->route->site);
	if (a->site == NULL) {
		smtpd_client_quit(a->client);
		return -1;
	}
	memcpy(a->policy_id, policy->id, sizeof(a->policy_id));
	describe_relay(t, host, policy, &a->relay);
	a->opened = smtpd__clock_ms();
	a->requests = 0;
	a->mails = 0;
	a->lmtp = host->hop->target != NULL &&
	    host->hop->target->set.kind == SMTPD_ROUTE_LMTP;
	/* Fewer in a transaction if the host says so (RFC 9422, 4.2). */
	smtpd__ehlo_limits_read(
	    smtpd_client_offers(a->client, "LIMITS"), &a->announced);
	a->rcpts_max = SMTPD_AGENT_RCPTS;
	if (a->announced.rcpts > 0 && a->announced.rcpts < SMTPD_AGENT_RCPTS)
		a->rcpts_max = a->announced.rcpts;
	t->end->signs.mails_max = a->announced.mails;
	t->end->signs.rcpts_max = a->announced.rcpts;
	note_peer(t, host);
	smtpd__agent_state_log_relay(t, false);
	return 0;
}

/* Whether R says that what the program gives for HOST, a token for instance, is
 * not there, or not good: not that the host was lost, or that memory was. */
static bool
is_login_failure(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_result *r)
{
	const struct smtpd_table_target *target = host->hop->target;
	const bool asked = target != NULL
	    ? target->set.credentials != NULL
	    : t->agent->set->client->credentials != NULL;

	if (!asked || r->phase != SMTPD_PHASE_AUTH || r->code == 421 ||
	    smtpd_cancel_is_triggered(t->cancel))
		return false;
	return r->code != 0 ||
	    (strncmp(r->status, "4.4.", 4) != 0 &&
		strcmp(r->status, "4.3.0") != 0);
}

/* The login at the host at RELAY failed, as RESULT says.  What goes by another
 * target than the sender's may be refused for good there: the mail waits. */
static int
hold_mail(struct smtpd_agent_attempt *t, const struct smtpd_relay *relay,
    const struct smtpd_result *result)
{
	struct smtpd_result why = *result;

	smtpd__result_hold(&why);
	smtpd__agent_state_fail_host(t, relay, &why);
	smtpd__agent_state_judge(t, SMTPD_SITE_DOWN, relay->host, &why);
	t->over = true;
	return -1;
}

/* The client could not connect to HOST: record what that means for recipients,
 * host and site. */
static int
fail_connection(struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	const struct smtpd_result *r = smtpd_client_result(t->agent->client);
	bool at_greeting = r->phase == SMTPD_PHASE_GREETING;
	bool silent =
	    r->phase == SMTPD_PHASE_CONNECT || (at_greeting && r->code == 0);
	bool busy = r->code == 421 || (at_greeting && r->code / 100 == 4);
	struct smtpd_relay relay;

	describe_relay(t, host, policy, &relay);
	relay.failure = smtpd__tls_policy_failure(
	    smtpd__client_starttls_outcome(t->agent->client)->failure);
	if (is_login_failure(t, host, r))
		return hold_mail(t, &relay, r);
	smtpd__agent_state_fail_host(t, &relay, r);
	smtpd__agent_state_note_sign(t, r);
	if (smtpd__agent_state_is_own(t, r)) {
		t->over = true;
		return -1;
	}
	/* The next host may be reached by another way. */
	if (smtpd__client_exchange_is_offline(t->agent->client)) {
		smtpd__agent_state_judge(
		    t, SMTPD_SITE_OFFLINE, host->targets->host, r);
		return -1;
	}
	if (silent)
		note_failed(t, host, host->count);
	smtpd__agent_state_judge(t, busy ? SMTPD_SITE_BUSY : SMTPD_SITE_DOWN,
	    host->targets->host, r);
	return -1;
}

static int
connect_once(struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host,
    const struct smtpd_tls_policy *policy)
{
	struct smtpd_agent *a = t->agent;
	struct smtpd_relay relay;
	struct smtpd_result why;

	smtpd__agent_state_quit(a);
	smtpd__hoststat_note(
	    a->set->hosts, host->targets, SMTPD_HOST_USED, smtpd__clock_ms());
	if (t->opening == 0)
		t->opening =
		    smtpd__hoststat_last_used(a->set->hosts, host->targets);
	if (prepare_client(t, host->hop) == 0) {
		smtpd__client_starttls_set_policy(a->client, policy);
		t->end->signs.connections++;
		if (smtpd_client_connect(a->client, host->targets, host->count,
			host->hop->port) == -1)
			return fail_connection(t, host, policy);
		if (keep_connection(t, host, policy) == 0)
			return 0;
	}
	/* HOST is of no use for a reason of our own. */
	t->over = true;
	describe_relay(t, host, policy, &relay);
	relay.address[0] = '\0';
	smtpd__result_set(&why, SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_CONNECT,
	    "4.3.0", "out of memory");
	smtpd__agent_state_fail_host(t, &relay, &why);
	return -1;
}

/* What is known of TLS at a host when a connection to it failed. */
struct tls_failure {
	bool had_tls; /* it worked before, at any of its addresses */
	bool lost;    /* it is not offered any more */
};

/* What becomes of mail for the host. */
static const char *
describe_consequence(
    const struct smtpd_agent_settings *set, const struct tls_failure *f)
{
	if (f->lost ? set->tls_lost_defer : f->had_tls)
		return "it worked there before, so mail waits until it does";
	return f->lost
	    ? "it worked there before; mail goes there in plain text after it "
	      "has waited"
	    : "mail goes there in plain text after it has waited";
}

/*
 * Whether the connection failed at TLS, and how; say so once an hour for each
 * address.
 */
static bool
is_tls_failure(struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, struct tls_failure *f)
{
	const struct smtpd_client *client = t->agent->client;
	const struct smtpd_agent_settings *set = t->agent->set;
	const struct smtpd_target *at;
	const struct smtpd_result *r;
	uint64_t now = smtpd__clock_ms();
	size_t peer;

	if (client == NULL || t->over)
		return false;
	r = smtpd_client_result(client);
	if (r->phase != SMTPD_PHASE_TLS || r->code == 421)
		return false;
	*f = (struct tls_failure){
		.lost = r->code == 0 && strcmp(r->status, "4.7.4") == 0,
	};
	for (size_t i = 0; i < host->count; i++)
		f->had_tls = f->had_tls ||
		    smtpd__hoststat_is(
			set->hosts, &host->targets[i], SMTPD_HOST_HAD_TLS, now);
	peer = find_peer(t, host);
	if (peer == host->count)
		return true;
	at = &host->targets[peer];
	if (!smtpd__hoststat_is(set->hosts, at, SMTPD_HOST_TLS_BROKEN, now))
		smtpd__logger_write(&set->logger, SMTPD_LOG_WARNING,
		    "TLS failed with %s[%s]: %s; %s", at->host,
		    smtpd_client_peer(client), r->text,
		    describe_consequence(set, f));
	smtpd__hoststat_note(set->hosts, at, SMTPD_HOST_TLS_FAILED, now);
	return true;
}

/* The policy of a connection to HOST, whose own is POLICY: one that did TLS
 * before must offer it again. */
static struct smtpd_tls_policy
expect_tls(const struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	struct smtpd_tls_memory *memory = t->agent->set->memory;
	struct smtpd_tls_policy expected = *policy, plain;

	if (memory == NULL || !smtpd__tls_policy_fall_back(policy, &plain) ||
	    !smtpd__tls_memory_has(memory, host->targets->host, count_days()))
		return expected;
	expected.expected = true;
	return expected;
}

/*
 * TLS is tried first each time: one handshake that broke, by chance or by an
 * attacker's doing, speaks for that attempt only.  A host where
 * it ever worked gets nothing in plain text because it failed.
 */
int
smtpd__agent_connect(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	const struct smtpd_outgoing_envelope *e = &t->request->loaded->envelope;
	const struct smtpd_tls_policy *given = smtpd__host_policy_of(
	    &host->hop->policies, host->targets->host, &host->hop->policy);
	struct smtpd_tls_policy wanted, expected, plain;
	const struct smtpd_tls_policy *policy = &wanted;
	struct tls_failure f;
	int status;

	if (smtpd__sender_policy_apply(e, host, given, &wanted) == -1)
		return smtpd__agent_pass_unvouched(t, host);
	if (policy->refused != NULL)
		return smtpd__agent_pass_over(t, host, policy);
	if (given == &host->hop->policy && !e->tls_optional &&
	    smtpd__route_sts_refuses(host->hop, host->targets->host))
		return smtpd__agent_pass_unlisted(t, host);
	expected = expect_tls(t, host, policy);
	status = connect_once(t, host, &expected);
	smtpd__tls_count_session(t, host, &expected);
	if (status == 0)
		return 0;
	if (!smtpd__tls_policy_fall_back(policy, &plain) ||
	    !is_tls_failure(t, host, &f))
		return -1;
	if (t->request->plain_allowed &&
	    !(f.lost ? t->agent->set->tls_lost_defer : f.had_tls))
		return connect_once(t, host, &plain);
	/* Only this message has to wait. */
	smtpd__history_add(t->request->history, "%s: %s%s", host->targets->host,
	    f.lost ? "TLS is not offered any more: " : "",
	    f.had_tls && !f.lost
		? "TLS worked there before: nothing goes in plain text"
		: "the message goes in plain text after it has waited");
	smtpd__agent_state_judge(t, SMTPD_SITE_FINE, host->targets->host, NULL);
	return -1;
}
