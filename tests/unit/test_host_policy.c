/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <smtpd/tls.h>

#include "dns_server.h"
#include "queue/delivery/host_policy.h"

#define A    1
#define MX   15
#define TLSA 52

static const char record[] = "\3\1\1"
			     "0123456789abcdef0123456789abcdef";

static void
write_record(struct dns_packet *p, const char *name)
{
	size_t at = dns_open(p, DNS_ANSWER, name, TLSA, 60);

	dns_bytes(p, record, sizeof(record) - 1);
	dns_close(p, at);
}

/* All is authentic but plain.test.  The hosts of the domains are dane.host,
 * which has a record, fails.host, whose records cannot be looked up, and
 * none.host, which has none. */
static void
answer(void *user, const struct dns_query *q, struct dns_reply *reply)
{
	struct dns_packet *p = &reply->p;
	unsigned flags = DNS_QR | DNS_RD | DNS_RA | DNS_AD;

	(void)user;
	if (strcmp(q->name, "plain.test") == 0)
		flags &= ~(unsigned)DNS_AD;
	if (q->type == MX) {
		dns_mx(p, q->name, 60, 10, "dane.host");
		dns_mx(p, q->name, 60, 20, "fails.host");
		dns_mx(p, q->name, 60, 30, "none.host");
	} else if (q->type == A) {
		dns_address(p, q->name, 60, "192.0.2.1");
	} else if (strcmp(q->name, "_25._tcp.dane.host") == 0) {
		write_record(p, q->name);
	} else if (strcmp(q->name, "_25._tcp.fails.host") == 0) {
		flags |= 2;
	} else {
		dns_soa(p, "host", 60, 60);
	}
	dns_set(p, 2, flags);
}

/* What a test asks, and what came of it. */
struct world {
	struct dns_server *server;
	struct smtpd_resolver *resolver;
	struct smtpd_targets *targets;
	struct smtpd_host_policies policies;
	char history_text[2048];
	struct smtpd_text history;
	struct smtpd_tls_policy base;
	char site[64];
};

static void
look_up(struct world *w, const char *domain, enum smtpd_security level)
{
	struct smtpd_host_policy_query q = { .port = 25, .domain = domain };
	struct smtpd_text site;

	memset(w, 0, sizeof(*w));
	w->server = dns_server_start(answer, NULL);
	w->resolver = smtpd_resolver_create(
	    &(struct smtpd_resolver_settings){ SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(w->server), .tries = 1 });
	w->targets = smtpd_resolve(w->resolver, domain, NULL);
	assert_int_equal(w->targets->outcome, SMTPD_RESOLVE_FOUND);
	w->base = (struct smtpd_tls_policy){ .level = level };
	smtpd__tls_policy_identify(&w->base);
	q.resolver = w->resolver;
	q.targets = w->targets;
	q.base = &w->base;
	smtpd__text_init(&w->history, w->history_text, sizeof(w->history_text));
	assert_int_equal(
	    smtpd__host_policy_find(&q, &w->policies, &w->history), 0);
	smtpd__text_init(&site, w->site, sizeof(w->site));
	smtpd__host_policy_name(&w->policies, &site);
}

static void
finish(struct world *w)
{
	smtpd__host_policy_free(&w->policies);
	smtpd_targets_free(w->targets);
	smtpd_resolver_destroy(w->resolver);
	dns_server_stop(w->server);
}

static const struct smtpd_tls_policy *
of(const struct world *w, const char *host)
{
	return smtpd__host_policy_of(&w->policies, host, &w->base);
}

/* RFC 7672, 3.2.2; RFC 7672, 8.1 */
static void
each_host_has_a_policy_of_its_own(void **state)
{
	const struct smtpd_tls_policy *p;
	struct world w;

	(void)state;
	look_up(&w, "one.test", SMTPD_SECURITY_OPPORTUNISTIC);
	assert_int_equal(w.policies.count, 2);
	p = of(&w, "dane.host");
	assert_int_equal(p->level, SMTPD_SECURITY_REQUIRED);
	assert_int_equal(p->source, SMTPD_TLS_SOURCE_DANE);
	assert_int_equal(p->tlsa->count, 1);
	assert_string_equal(p->server_name, "dane.host");
	assert_int_equal(p->nnames, 2);
	assert_string_equal(p->names[0], "dane.host");
	assert_string_equal(p->names[1], "one.test");
	assert_null(p->refused);
	p = of(&w, "fails.host");
	assert_non_null(strstr(p->refused, "SERVFAIL"));
	assert_ptr_equal(of(&w, "none.host"), &w.base);
	assert_int_equal(strncmp(w.site, " dane+", 6), 0);
	assert_non_null(strstr(w.history_text, "TLSA of dane.host: 3 1 1 "));
	finish(&w);
}

/* Names of the domain are part of it, so that of another is another. */
static void
another_domain_has_another_policy(void **state)
{
	struct world one, two;

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	look_up(&one, "one.test", SMTPD_SECURITY_OPPORTUNISTIC);
	look_up(&two, "two.test", SMTPD_SECURITY_OPPORTUNISTIC);
	assert_string_not_equal(
	    of(&one, "dane.host")->id, of(&two, "dane.host")->id);
	assert_string_not_equal(one.site, two.site);
	finish(&one);
	finish(&two);
	look_up(&one, "one.test", SMTPD_SECURITY_OPPORTUNISTIC);
	look_up(&two, "ONE.test.", SMTPD_SECURITY_OPPORTUNISTIC);
	assert_string_equal(
	    of(&one, "dane.host")->id, of(&two, "dane.host")->id);
	assert_string_equal(one.site, two.site);
	finish(&one);
	finish(&two);
}

static void
the_operator_may_demand_more_or_nothing(void **state)
{
	static const struct {
		const char *domain;
		enum smtpd_security level;
		size_t count;
	} cases[] = {
		{ "one.test", SMTPD_SECURITY_OPPORTUNISTIC, 2 },
		{ "one.test", SMTPD_SECURITY_ENCRYPTED, 2 },
		{ "one.test", SMTPD_SECURITY_REQUIRED, 0 },
		{ "one.test", SMTPD_SECURITY_NONE, 0 },
		/* RFC 7672, 2.2.1 */
		{ "plain.test", SMTPD_SECURITY_OPPORTUNISTIC, 0 },
		{ "[192.0.2.1]", SMTPD_SECURITY_OPPORTUNISTIC, 0 },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		look_up(&w, cases[i].domain, cases[i].level);
		assert_int_equal(w.policies.count, cases[i].count);
		assert_int_equal(w.site[0] != '\0', cases[i].count > 0);
		finish(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_host_has_a_policy_of_its_own),
		cmocka_unit_test(another_domain_has_another_policy),
		cmocka_unit_test(the_operator_may_demand_more_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
