/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <smtpd/queue.h>

#include "dns_server.h"
#include "queue/delivery/route.h"

#include "test.h"

/* What the DNS has: MX as preference and name, addresses, or an RCODE. */
static const struct {
	const char *name, *mx, *addresses;
	unsigned rcode;
} zone[] = {
	{ "one.test", "10 mx1.test", NULL, 0 },
	{ "equal.test", "10 mx1.test 10 mx2.test 10 mx3.test", NULL, 0 },
	{ "other.test", "5 mx3.test 5 mx1.test 5 mx2.test", NULL, 0 },
	{ "ordered.test", "20 mx1.test 10 mx2.test 30 mx3.test", NULL, 0 },
	{ "many.test",
	    "10 h0.test 10 h1.test 10 h2.test 10 h3.test "
	    "10 h4.test 10 h5.test 10 h6.test 10 h7.test "
	    "10 h8.test 10 h9.test 10 h10.test 10 h11.test ",
	    NULL, 0 },
	{ "h0.test", NULL, "198.51.100.20", 0 },
	{ "h1.test", NULL, "198.51.100.21", 0 },
	{ "h2.test", NULL, "198.51.100.22", 0 },
	{ "h3.test", NULL, "198.51.100.23", 0 },
	{ "h4.test", NULL, "198.51.100.24", 0 },
	{ "h5.test", NULL, "198.51.100.25", 0 },
	{ "h6.test", NULL, "198.51.100.26", 0 },
	{ "h7.test", NULL, "198.51.100.27", 0 },
	{ "h8.test", NULL, "198.51.100.28", 0 },
	{ "h9.test", NULL, "198.51.100.29", 0 },
	{ "h10.test", NULL, "198.51.100.30", 0 },
	{ "h11.test", NULL, "198.51.100.31", 0 },
	{ "implicit.test", NULL, "198.51.100.9", 0 },
	{ "null.test", "0 .", NULL, 0 },
	{ "fails.test", NULL, NULL, 2 },
	{ "nowhere.test", "10 none.test", NULL, 0 },
	{ "relay.test", "10 mx1.test", "198.51.100.7 2001:db8::7", 0 },
	{ "near.test", NULL, "127.0.0.1", 0 },
	{ "mx1.test", NULL, "198.51.100.1 2001:db8::1", 0 },
	{ "mx2.test", NULL, "198.51.100.2", 0 },
	{ "mx3.test", NULL, "198.51.100.3", 0 },
	{ "xn--bcher-kva.test", "10 mx1.test", NULL, 0 },
};

static void
answer_mx(const struct dns_query *q, const char *mx, struct dns_packet *p)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", mx);
	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	    word = strtok_r(NULL, " ", &save)) {
		char *host = strtok_r(NULL, " ", &save);

		dns_mx(p, q->name, 300, (unsigned)strtoul(word, NULL, 10),
		    strcmp(host, ".") == 0 ? "" : host);
	}
}

static void
answer_addresses(
    const struct dns_query *q, const char *addresses, struct dns_packet *p)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", addresses);
	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	    word = strtok_r(NULL, " ", &save))
		if ((strchr(word, ':') != NULL) == (q->type == 28))
			dns_address(p, q->name, 300, word);
}

static void
answer(void *user, const struct dns_query *q, struct dns_reply *reply)
{
	unsigned rcode = 3;

	(void)user;
	for (size_t i = 0; i < COUNT(zone); i++) {
		if (strcmp(zone[i].name, q->name) != 0)
			continue;
		rcode = zone[i].rcode;
		if (q->type == 15 && zone[i].mx != NULL)
			answer_mx(q, zone[i].mx, &reply->p);
		if (q->type != 15 && zone[i].addresses != NULL)
			answer_addresses(q, zone[i].addresses, &reply->p);
	}
	reply->p.at[3] = (unsigned char)((reply->p.at[3] & 0xf0) | rcode);
}

static struct dns_server *dns;

static int
start_dns(void **state)
{
	(void)state;
	dns = dns_server_start(answer, NULL);
	return dns != NULL ? 0 : -1;
}

static int
stop_dns(void **state)
{
	(void)state;
	dns_server_stop(dns);
	return 0;
}

/* A router with SETTINGS and our DNS. */
static struct smtpd_router *
make(struct smtpd_queue_settings settings)
{
	const struct smtpd_resolver_settings resolver = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(dns),
		.timeout_ms = 2000,
		.tries = 1,
	};
	char error[256];
	struct smtpd_router *r;

	settings.resolver = &resolver;
	if (settings.hostname == NULL)
		settings.hostname = "me.test";
	r = smtpd__route_router_create(&settings, error, sizeof(error));
	if (r == NULL)
		fail_msg("%s", error);
	return r;
}

static char trail_text[4096];

/* Find the route of DOMAIN for a recipient there. */
static int
find_route(struct smtpd_router *r, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_found_route *route,
    struct smtpd_text *history)
{
	struct smtpd_route_table *table = smtpd__route_table(r);
	char rcpt[128];
	int status;

	snprintf(rcpt, sizeof(rcpt), "x@%s", domain);
	status = smtpd__route_find(r, table,
	    smtpd__route_table_match(table, "from@sender.test", rcpt), domain,
	    cancel, route, history);
	smtpd__route_table_unref(table);
	return status;
}

/* Find the route of DOMAIN, and its line of the history in trail_text. */
static struct smtpd_found_route
find(struct smtpd_router *r, const char *domain)
{
	struct smtpd_found_route route;
	struct smtpd_text history;

	smtpd__text_init(&history, trail_text, sizeof(trail_text));
	assert_int_equal(find_route(r, domain, NULL, &route, &history), 0);
	assert_true(history.len > 0);
	assert_ptr_equal(
	    strchr(trail_text, '\n'), trail_text + history.len - 1);
	return route;
}

/* A domain, and what comes of it: its site, or the status why there is none;
 * and its line of the history, if that does not depend on chance. */
static const struct {
	const char *domain;
	enum smtpd_resolve_outcome outcome;
	const char *site;
	const char *history;
} domains[] = {
	{ "one.test", SMTPD_RESOLVE_FOUND, "mx1.test",
	    "dns one.test: MX mx1.test 10 [2001:db8::1] [198.51.100.1]\n" },
	{ "ordered.test", SMTPD_RESOLVE_FOUND, "mx2.test,mx1.test,mx3.test",
	    "dns ordered.test: MX mx2.test 10 [198.51.100.2]"
	    " mx1.test 20 [2001:db8::1] [198.51.100.1]"
	    " mx3.test 30 [198.51.100.3]\n" },
	{ "equal.test", SMTPD_RESOLVE_FOUND, "mx1.test,mx2.test,mx3.test",
	    NULL },
	{ "implicit.test", SMTPD_RESOLVE_FOUND, "implicit.test",
	    "dns implicit.test: no MX, [198.51.100.9]\n" },
	{ "[192.0.2.1]", SMTPD_RESOLVE_FOUND, "[192.0.2.1]",
	    "dns [192.0.2.1]: [192.0.2.1]\n" },
	{ "[IPv6:2001:db8::5]", SMTPD_RESOLVE_FOUND, "[IPv6:2001:db8::5]",
	    "dns [IPv6:2001:db8::5]: [2001:db8::5]\n" },
	{ "null.test", SMTPD_RESOLVE_NEVER, "5.1.10",
	    "dns null.test: 5.1.10 null.test does not accept mail (null "
	    "MX)\n" },
	{ "missing.test", SMTPD_RESOLVE_NEVER, "5.1.2",
	    "dns missing.test: 5.1.2 There is no domain missing.test\n" },
	{ "nowhere.test", SMTPD_RESOLVE_NEVER, "5.4.4", NULL },
	{ "near.test", SMTPD_RESOLVE_NEVER, "5.4.6", NULL },
	{ "[127.0.0.1]", SMTPD_RESOLVE_NEVER, "5.4.6", NULL },
	{ "[x]", SMTPD_RESOLVE_NEVER, "5.1.3", NULL },
	{ "fails.test", SMTPD_RESOLVE_LATER, "4.4.3", NULL },
};

static void
domains_lead_to_their_hosts(void **state)
{
	struct smtpd_router *r = make((struct smtpd_queue_settings){ 0 });

	(void)state;
	for (size_t i = 0; i < COUNT(domains); i++) {
		struct smtpd_found_route route = find(r, domains[i].domain);
		bool found = domains[i].outcome == SMTPD_RESOLVE_FOUND;

		assert_int_equal(route.outcome, domains[i].outcome);
		if (found)
			assert_int_equal(route.hops[0].port, 25);
		assert_null(route.entry);
		assert_string_equal(
		    found ? route.site : route.why.status, domains[i].site);
		if (domains[i].history != NULL)
			assert_string_equal(trail_text, domains[i].history);
		if (!found) {
			assert_null(route.site);
			assert_int_equal(route.why.outcome,
			    domains[i].outcome == SMTPD_RESOLVE_NEVER
				? SMTPD_OUTCOME_PERMANENT
				: SMTPD_OUTCOME_TEMPORARY);
			assert_true(route.why.text[0] != '\0');
		}
		smtpd__route_finish(&route);
	}
	smtpd__route_router_destroy(r);
}

/* Whatever order chance brought them in. */
static void
the_same_hosts_are_one_site(void **state)
{
	struct smtpd_router *r = make((struct smtpd_queue_settings){ 0 });

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct smtpd_found_route a = find(r, "equal.test");
		struct smtpd_found_route b = find(r, "other.test");

		assert_string_equal(a.site, b.site);
		smtpd__route_finish(&a);
		smtpd__route_finish(&b);
	}
	smtpd__route_router_destroy(r);
}

/* S13: Nor which of their addresses it chose. */
static void
many_hosts_are_one_site(void **state)
{
	struct smtpd_router *r = make((struct smtpd_queue_settings){ 0 });

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct smtpd_found_route route = find(r, "many.test");

		assert_int_equal(route.hops[0].targets->count, 10);
		assert_string_equal(route.site,
		    "h0.test,h1.test,h10.test,h11.test,h2.test,h3.test,"
		    "h4.test,h5.test,h6.test,h7.test,h8.test,h9.test");
		smtpd__route_finish(&route);
	}
	smtpd__route_router_destroy(r);
}

/* A domain and the security of its route. */
static const struct {
	const char *domain;
	enum smtpd_security security;
	const char *site;
} secured[] = {
	{ "one.test", SMTPD_SECURITY_REQUIRED, "mx1.test required" },
	{ "One.Test", SMTPD_SECURITY_REQUIRED, "mx1.test required" },
	{ "one.test.", SMTPD_SECURITY_REQUIRED, "mx1.test required" },
	{ "implicit.test", SMTPD_SECURITY_OPPORTUNISTIC, "implicit.test" },
	{ "[192.0.2.1]", SMTPD_SECURITY_REQUIRED, "[192.0.2.1] required" },
	{ "[IPV6:2001:DB8::5]", SMTPD_SECURITY_REQUIRED,
	    "[IPV6:2001:DB8::5] required" },
	{ "ordered.test", SMTPD_SECURITY_NONE,
	    "mx2.test,mx1.test,mx3.test none" },
};

static void
rules_say_how_it_is_secured(void **state)
{
	static const struct smtpd_security_rule rules[] = {
		{ SMTPD_SECURITY_RULE_INIT, "ONE.test",
		    SMTPD_SECURITY_REQUIRED },
		{ SMTPD_SECURITY_RULE_INIT, "implicit.test.",
		    SMTPD_SECURITY_OPPORTUNISTIC },
		{ SMTPD_SECURITY_RULE_INIT, "test", SMTPD_SECURITY_REQUIRED },
		{ SMTPD_SECURITY_RULE_INIT, "[192.0.2.1]",
		    SMTPD_SECURITY_REQUIRED },
		{ SMTPD_SECURITY_RULE_INIT, "[IPv6:2001:db8::5]",
		    SMTPD_SECURITY_REQUIRED },
	};
	const struct smtpd_client_settings client = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.security = SMTPD_SECURITY_NONE,
	};
	struct smtpd_router *r = make((struct smtpd_queue_settings){
	    .client = &client,
	    .rules = rules,
	    .nrules = COUNT(rules),
	    .port = 2525,
	});

	(void)state;
	for (size_t i = 0; i < COUNT(secured); i++) {
		struct smtpd_found_route route = find(r, secured[i].domain);

		assert_int_equal(
		    route.hops[0].policy.level, secured[i].security);
		assert_string_equal(route.site, secured[i].site);
		assert_int_equal(route.hops[0].port, 2525);
		smtpd__route_finish(&route);
	}
	smtpd__route_router_destroy(r);
}

/* S38: a route that is known is not used with authorities of before. */
static void
authorities_are_replaced(void **state)
{
	char error[256];
	struct smtpd_trust *first =
	    smtpd_trust_create(NULL, error, sizeof(error));
	struct smtpd_trust *second =
	    smtpd_trust_create(NULL, error, sizeof(error));
	const struct smtpd_client_settings client = {
		SMTPD_CLIENT_SETTINGS_INIT, .trust = first
	};
	struct smtpd_router *r;
	struct smtpd_found_route route;

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	r = make((struct smtpd_queue_settings){ .client = &client });
	smtpd_trust_unref(first);
	route = find(r, "one.test");
	assert_ptr_equal(route.hops[0].policy.trust, first);
	assert_true(smtpd__route_is_current(r, &route));
	smtpd__route_set_trust(r, second);
	assert_false(smtpd__route_is_current(r, &route));
	smtpd__route_finish(&route);
	route = find(r, "one.test");
	assert_ptr_equal(route.hops[0].policy.trust, second);
	assert_true(smtpd__route_is_current(r, &route));
	smtpd__route_finish(&route);
	smtpd_trust_unref(second);
	smtpd__route_router_destroy(r);
}

/* S22 */
static void
a_rule_names_certificates(void **state)
{
	static const char *const names[] = { "mail.a.test", "one.test" };
	static const struct smtpd_security_rule rule = {
		SMTPD_SECURITY_RULE_INIT, .domain = "one.test",
		.security = SMTPD_SECURITY_REQUIRED, .names = names, .nnames = 2
	};
	struct smtpd_router *r =
	    make((struct smtpd_queue_settings){ .rules = &rule, .nrules = 1 });
	struct smtpd_found_route route;

	(void)state;
	route = find(r, "one.test");
	assert_int_equal(route.hops[0].policy.nnames, 2);
	assert_string_equal(route.hops[0].policy.names[0], names[0]);
	assert_string_equal(route.hops[0].policy.names[1], names[1]);
	assert_string_not_equal(route.hops[0].policy.id, "required");
	smtpd__route_finish(&route);
	smtpd__route_router_destroy(r);
}

/* However the domain is spelt: else a rule could be got around. */
static void
rules_hold_for_both_forms_of_a_name(void **state)
{
	static const struct smtpd_security_rule rules[] = {
		{ SMTPD_SECURITY_RULE_INIT,
		    "b\xc3\xbc"
		    "cher.test",
		    SMTPD_SECURITY_REQUIRED },
	};
	struct smtpd_router *r;
	struct smtpd_found_route route;

	(void)state;
	if (!TEST_IDN)
		skip();
	r = make((struct smtpd_queue_settings){ .rules = rules, .nrules = 1 });
	route = find(r, "xn--bcher-kva.test");
	assert_string_equal(route.site, "mx1.test required");
	smtpd__route_finish(&route);
	route = find(r,
	    "B\xc3\xbc"
	    "cher.test");
	assert_string_equal(route.site, "mx1.test required");
	assert_memory_equal(trail_text, "dns B??cher.test: MX", 20);
	smtpd__route_finish(&route);
	smtpd__route_router_destroy(r);
}

/* A smarthost, and where it is; a target's name when it is FOUND, else its
 * status. */
static const struct {
	const char *host;
	uint16_t port;
	bool tls_first;
	const char *user;
	uint16_t to_port;
	const char *target;
	size_t count; /* of addresses; 0: any */
	const char *site;
} smarthosts[] = {
	/* Its own addresses, not those of its MX. */
	{ "relay.test", 0, false, NULL, 25, "relay.test", 2, "smarthost none" },
	{ "Relay.Test", 0, true, NULL, 465, "relay.test", 2,
	    "smarthost none+first" },
	{ "relay.test", 587, true, "u", 587, "relay.test", 2,
	    "smarthost required+first" },
	/* On this very host, and by a name that no DNS has. */
	{ "near.test", 26, false, NULL, 26, "near.test", 1, "smarthost none" },
	{ "localhost", 0, false, NULL, 25, "localhost", 0, "smarthost none" },
	{ "127.0.0.1", 0, false, NULL, 25, "[127.0.0.1]", 1, "smarthost none" },
	{ "[192.0.2.1]", 0, false, NULL, 25, "[192.0.2.1]", 1,
	    "smarthost none" },
	{ "2001:db8::1", 0, false, NULL, 25, "[IPv6:2001:db8::1]", 1,
	    "smarthost none" },
	{ "[2001:db8::1]", 0, false, NULL, 25, "[IPv6:2001:db8::1]", 1,
	    "smarthost none" },
	{ "[IPv6:::1]", 0, false, "u", 25, "[IPv6:::1]", 1,
	    "smarthost required" },
	/* What it is not is trouble of our own. */
	{ "missing.test", 0, false, NULL, 25, "4.3.5", 0, NULL },
	{ "fails.test", 0, false, NULL, 25, "4.4.3", 0, NULL },
};

static void
a_smarthost_takes_everything(void **state)
{
	const struct smtpd_client_settings client = {
		SMTPD_CLIENT_SETTINGS_INIT,
		.security = SMTPD_SECURITY_NONE,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(smarthosts); i++) {
		struct smtpd_route_target smarthost = {
			SMTPD_ROUTE_TARGET_INIT,
			.kind = SMTPD_ROUTE_HOST,
			.host = smarthosts[i].host,
			.port = smarthosts[i].port,
			.tls_first = smarthosts[i].tls_first,
			.user = smarthosts[i].user,
			.password = "pencil",
		};
		struct smtpd_router *r = make((struct smtpd_queue_settings){
		    .client = &client, .smarthost = &smarthost });
		struct smtpd_found_route route = find(r, "null.test");

		assert_non_null(route.entry);
		assert_memory_equal(trail_text, "smarthost ", 10);
		if (smarthosts[i].site == NULL) {
			assert_int_equal(route.outcome, SMTPD_RESOLVE_LATER);
			assert_int_equal(
			    route.why.outcome, SMTPD_OUTCOME_TEMPORARY);
			assert_string_equal(
			    route.why.status, smarthosts[i].target);
			assert_non_null(
			    strstr(route.why.text, "the smarthost "));
			assert_non_null(
			    strstr(route.why.text, smarthosts[i].host));
		} else {
			assert_int_equal(route.outcome, SMTPD_RESOLVE_FOUND);
			assert_int_equal(
			    route.hops[0].port, smarthosts[i].to_port);
			assert_string_equal(route.site, smarthosts[i].site);
			assert_string_equal(
			    smtpd_targets_get(route.hops[0].targets, 0)->host,
			    smarthosts[i].target);
			if (smarthosts[i].count > 0)
				assert_int_equal(route.hops[0].targets->count,
				    smarthosts[i].count);
			assert_int_equal(route.hops[0].policy.level,
			    smarthosts[i].user != NULL ? SMTPD_SECURITY_REQUIRED
						       : SMTPD_SECURITY_NONE);
		}
		smtpd__route_finish(&route);
		smtpd__route_router_destroy(r);
	}
}

static int
deliver_nothing(struct smtpd_local *local, void *user)
{
	(void)local;
	(void)user;
	return 250;
}

/* A domain with a route, and what comes of it. */
static const struct {
	const char *domain;
	enum smtpd_resolve_outcome outcome;
	size_t nhops;
	const char *site; /* or its status */
	const char
	    *text; /* a part of the reason; of the history if it is FOUND */
} routed[] = {
	{ "list.test", SMTPD_RESOLVE_FOUND, 2,
	    "relay.test:25,missing.test:25,lmtp:/run/store none",
	    "route list.test: relay.test:25,missing.test:25,lmtp:/run/store\n"
	    "smarthost relay.test: " },
	{ "missing2.test", SMTPD_RESOLVE_LATER, 0, "4.3.5",
	    "the smarthost missing.test cannot be found" },
	{ "null.test", SMTPD_RESOLVE_FOUND, 1, "mx,relay.test:25",
	    "dns null.test: 5.1.10" },
	{ "one.test", SMTPD_RESOLVE_FOUND, 2, "mx,relay.test:25 mx1.test",
	    "dns one.test: MX" },
	{ "mx.null.test", SMTPD_RESOLVE_NEVER, 0, "5.1.2", "There is no" },
	{ "closed.test", SMTPD_RESOLVE_NEVER, 0, "5.1.1", "5.1.1 Moved, away" },
	{ "shut.test", SMTPD_RESOLVE_NEVER, 0, "5.0.0", "Shut" },
	{ "robot.test", SMTPD_RESOLVE_FOUND, 0, "local", "route robot.test" },
};

static void
routes_lead_to_their_targets(void **state)
{
	const struct smtpd_route_target relay = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_HOST, .host = "relay.test" };
	const struct smtpd_route_target missing = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_HOST, .host = "missing.test" };
	const struct smtpd_route_target store = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_LMTP, .host = "/run/store" };
	const struct smtpd_route_target mx = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_MX };
	const struct smtpd_route_target closed = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_ERROR, .text = "5.1.1 Moved, away" };
	const struct smtpd_route_target shut = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_ERROR, .text = "Shut" };
	const struct smtpd_route_target local = { SMTPD_ROUTE_TARGET_INIT,
		SMTPD_ROUTE_LOCAL, .deliver = deliver_nothing };
	const struct smtpd_route_target list[] = { relay, missing, store };
	const struct smtpd_route_target fallback[] = { mx, relay };
	const struct smtpd_route routes[] = {
		{ SMTPD_ROUTE_INIT, "list.test", list, 3 },
		{ SMTPD_ROUTE_INIT, "missing2.test", &missing, 1 },
		{ SMTPD_ROUTE_INIT, "null.test", fallback, 2 },
		{ SMTPD_ROUTE_INIT, "one.test", fallback, 2 },
		{ SMTPD_ROUTE_INIT, ".null.test", &mx, 1 },
		{ SMTPD_ROUTE_INIT, "closed.test", &closed, 1 },
		{ SMTPD_ROUTE_INIT, "shut.test", &shut, 1 },
		{ SMTPD_ROUTE_INIT, "robot.test", &local, 1 },
	};
	struct smtpd_router *r = make((struct smtpd_queue_settings){
	    .routes = routes, .nroutes = COUNT(routes) });

	(void)state;
	for (size_t i = 0; i < COUNT(routed); i++) {
		bool found = routed[i].outcome == SMTPD_RESOLVE_FOUND;
		struct smtpd_found_route route;
		struct smtpd_text history;

		smtpd__text_init(&history, trail_text, sizeof(trail_text));
		assert_int_equal(
		    find_route(r, routed[i].domain, NULL, &route, &history), 0);
		assert_int_equal(route.outcome, routed[i].outcome);
		assert_int_equal(route.nhops, routed[i].nhops);
		assert_string_equal(
		    found ? route.site : route.why.status, routed[i].site);
		if (strstr(found ? trail_text : route.why.text,
			routed[i].text) == NULL)
			fail_msg("%s: %s %s", routed[i].domain, trail_text,
			    route.why.text);
		smtpd__route_finish(&route);
	}
	smtpd__route_router_destroy(r);
}

/* RFC 2033, 4.1: Mail that leaves the queue by LMTP. */
static void
a_hop_says_how_it_is_talked_to(void **state)
{
	const struct smtpd_route_target targets[] = {
		{ SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_LMTP,
		    .host = "relay.test", .port = 24 },
		{ SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_HOST,
		    .host = "relay.test", .tls_first = true, .user = "ann",
		    .password = "pencil" },
		{ SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_LMTP,
		    .host = "/run/store" },
	};
	const struct smtpd_route all = { SMTPD_ROUTE_INIT, "*", targets, 3 };
	struct smtpd_router *r =
	    make((struct smtpd_queue_settings){ .routes = &all, .nroutes = 1 });
	struct smtpd_found_route route, again;
	struct smtpd_text history;
	char error[128];

	(void)state;
	smtpd__text_init(&history, trail_text, sizeof(trail_text));
	assert_int_equal(find_route(r, "one.test", NULL, &route, &history), 0);
	assert_int_equal(route.nhops, 3);
	assert_int_equal(route.hops[0].target->set.kind, SMTPD_ROUTE_LMTP);
	assert_int_equal(route.hops[1].target->set.kind, SMTPD_ROUTE_HOST);
	assert_int_equal(route.hops[0].port, 24);
	assert_int_equal(route.hops[1].port, 465);
	assert_true(route.hops[1].policy.first);
	assert_string_equal(route.hops[1].target->set.user, "ann");
	assert_int_equal(route.hops[1].policy.level, SMTPD_SECURITY_REQUIRED);
	assert_int_equal(route.hops[2].policy.level, SMTPD_SECURITY_NONE);
	assert_int_equal(
	    smtpd_targets_get(route.hops[2].targets, 0)->addr.ss_family,
	    AF_UNIX);
	assert_true(route.hops[0].id != route.hops[1].id);
	assert_true(smtpd__route_is_current(r, &route));
	/* Another table, though it says the same, is another. */
	assert_int_equal(
	    smtpd__route_set_routes(r, &all, 1, error, sizeof(error)), 0);
	assert_false(smtpd__route_is_current(r, &route));
	assert_string_equal(route.hops[1].target->set.password, "pencil");
	assert_int_equal(find_route(r, "one.test", NULL, &again, &history), 0);
	assert_string_equal(again.site, route.site);
	assert_int_not_equal(again.hops[0].id, route.hops[0].id);
	smtpd__route_finish(&again);
	smtpd__route_finish(&route);
	smtpd__route_router_destroy(r);
}

static void
what_cannot_be_right_is_refused(void **state)
{
	static const struct smtpd_security_rule rule = {
		SMTPD_SECURITY_RULE_INIT, "a b", 0
	};
	static const struct smtpd_route_target
	    none = { SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_HOST },
	    blank = { SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_HOST, "a b" },
	    empty = { SMTPD_ROUTE_TARGET_INIT, SMTPD_ROUTE_HOST, "" };
	static const struct smtpd_resolver_settings servers = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = "nonsense",
	};
	static const struct {
		struct smtpd_queue_settings settings;
		const char *error;
	} wrong[] = {
		{ { .rules = &rule, .nrules = 1 }, "a b, which has a rule" },
		{ { .smarthost = &none }, "(none), the smarthost" },
		{ { .smarthost = &blank }, "a b, the smarthost" },
		{ { .smarthost = &empty }, ", the smarthost" },
		{ { .resolver = &servers }, "there are no DNS servers" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char error[128] = "";

		assert_null(smtpd__route_router_create(
		    &wrong[i].settings, error, sizeof(error)));
		assert_memory_equal(
		    error, wrong[i].error, strlen(wrong[i].error));
	}
}

static void
a_look_up_can_be_cancelled(void **state)
{
	struct smtpd_router *r = make((struct smtpd_queue_settings){ 0 });
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	struct smtpd_found_route route;
	struct smtpd_text history;

	(void)state;
	smtpd__text_init(&history, trail_text, sizeof(trail_text));
	smtpd_cancel_trigger(cancel);
	assert_int_equal(
	    find_route(r, "one.test", cancel, &route, &history), 0);
	assert_int_equal(route.outcome, SMTPD_RESOLVE_LATER);
	assert_string_equal(route.why.status, "4.4.3");
	smtpd__route_finish(&route);
	smtpd__route_finish(&route);
	smtpd_cancel_destroy(cancel);
	smtpd__route_router_destroy(r);
}

/* A line that has no room is left out, not cut. */
static void
a_trail_holds_whole_lines(void **state)
{
	struct smtpd_router *r = make((struct smtpd_queue_settings){ 0 });
	char small[sizeof("dns [192.0.2.1]: [192.0.2.1]\n")];
	struct smtpd_found_route route;
	struct smtpd_text history;

	(void)state;
	smtpd__text_init(&history, small, sizeof(small));
	find_route(r, "[192.0.2.1]", NULL, &route, &history);
	assert_string_equal(small, "dns [192.0.2.1]: [192.0.2.1]\n");
	assert_false(history.cut);
	smtpd__route_finish(&route);
	smtpd__text_init(&history, small, sizeof(small) - 1);
	find_route(r, "[192.0.2.1]", NULL, &route, &history);
	assert_string_equal(small, "");
	assert_true(history.cut);
	smtpd__route_finish(&route);
	smtpd__route_router_destroy(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_lead_to_their_hosts),
		cmocka_unit_test(the_same_hosts_are_one_site),
		cmocka_unit_test(many_hosts_are_one_site),
		cmocka_unit_test(rules_say_how_it_is_secured),
		cmocka_unit_test(rules_hold_for_both_forms_of_a_name),
		cmocka_unit_test(authorities_are_replaced),
		cmocka_unit_test(a_rule_names_certificates),
		cmocka_unit_test(a_smarthost_takes_everything),
		cmocka_unit_test(routes_lead_to_their_targets),
		cmocka_unit_test(a_hop_says_how_it_is_talked_to),
		cmocka_unit_test(what_cannot_be_right_is_refused),
		cmocka_unit_test(a_look_up_can_be_cancelled),
		cmocka_unit_test(a_trail_holds_whole_lines),
	};

	return cmocka_run_group_tests(tests, start_dns, stop_dns);
}
