/* SPDX-License-Identifier: MIT */
/* smtpd_lookup(): single questions, and the names of clients. */
#include <smtpd/lookup.h>

#include <errno.h>
#include <string.h>

#include "dns_server.h"

#include "test.h"

#define PTR 12
#define TXT 16

static void
add_ptr(struct dns_packet *p, const char *name, const char *host)
{
	size_t data = dns_open(p, DNS_ANSWER, name, PTR, 60);

	dns_name(p, host);
	dns_close(p, data);
}

static void
add_text(struct dns_packet *p, const char *name)
{
	size_t data = dns_open(p, DNS_ANSWER, name, TXT, 60);

	dns_u8(p, 4);
	dns_bytes(p, "one ", 4);
	dns_u8(p, 3);
	dns_bytes(p, "two", 3);
	dns_close(p, data);
}

/* A zone: good.test is 192.0.2.1, and 192.0.2.2 says so too. */
static void
answer(void *user, const struct dns_query *q, struct dns_reply *reply)
{
	struct dns_packet *p = &reply->p;

	(void)user;
	if (strcmp(q->name, "1.2.0.192.in-addr.arpa") == 0 && q->type == PTR) {
		add_ptr(p, q->name, "other.test");
		add_ptr(p, q->name, "good.test");
	} else if (strcmp(q->name, "2.2.0.192.in-addr.arpa") == 0) {
		add_ptr(p, q->name, "good.test");
	} else if (strcmp(q->name, "3.2.0.192.in-addr.arpa") == 0) {
		add_ptr(p, q->name, "evil host.test");
	} else if (strcmp(q->name, "good.test") == 0 && q->type == 1) {
		dns_address(p, q->name, 60, "192.0.2.1");
	} else if (strcmp(q->name, "text.test") == 0 && q->type == TXT) {
		add_text(p, q->name);
	} else if (strcmp(q->name, "silent.test") == 0) {
		reply->how = DNS_SILENT;
	} else {
		dns_set(p, 2, DNS_QR | DNS_RD | DNS_RA | 3);
		dns_soa(p, "test", 60, 60);
	}
}

struct world {
	struct dns_server *server;
	struct smtpd_resolver *resolver;
};

static void
begin(struct world *w)
{
	w->server = dns_server_start(answer, NULL);
	w->resolver = smtpd_resolver_create(&(struct smtpd_resolver_settings){
	    SMTPD_RESOLVER_SETTINGS_INIT,
	    .servers = dns_server_address(w->server),
	    .tries = 1,
	});
	assert_non_null(w->resolver);
}

static void
end(struct world *w)
{
	smtpd_resolver_destroy(w->resolver);
	dns_server_stop(w->server);
}

static void
check(struct world *w, const char *name, enum smtpd_lookup_type type,
    enum smtpd_resolve_outcome outcome, const char *first)
{
	struct smtpd_records *r =
	    smtpd_lookup(w->resolver, name, type, 60000, NULL);

	assert_non_null(r);
	assert_int_equal(r->outcome, outcome);
	if (first == NULL)
		assert_null(smtpd_records_get(r, 0));
	else
		assert_string_equal(smtpd_records_get(r, 0), first);
	assert_null(smtpd_records_get(r, r->count));
	smtpd_records_free(r);
}

static void
records_are_found(void **state)
{
	struct world w;
	unsigned asked;

	(void)state;
	begin(&w);
	check(
	    &w, "GOOD.test", SMTPD_LOOKUP_A, SMTPD_RESOLVE_FOUND, "192.0.2.1");
	check(
	    &w, "text.test", SMTPD_LOOKUP_TXT, SMTPD_RESOLVE_FOUND, "one two");
	check(&w, "192.0.2.2", SMTPD_LOOKUP_PTR, SMTPD_RESOLVE_FOUND,
	    "good.test");
	check(&w, "none.test", SMTPD_LOOKUP_AAAA, SMTPD_RESOLVE_NEVER, NULL);
	asked = dns_server_questions(w.server);
	check(
	    &w, "good.test", SMTPD_LOOKUP_A, SMTPD_RESOLVE_FOUND, "192.0.2.1");
	assert_int_equal(dns_server_questions(w.server), asked);
	end(&w);
}

static void
waits_end(void **state)
{
	struct world w;
	struct smtpd_records *r;

	(void)state;
	begin(&w);
	r = smtpd_lookup(w.resolver, "silent.test", SMTPD_LOOKUP_A, 50, NULL);
	assert_non_null(r);
	assert_int_equal(r->outcome, SMTPD_RESOLVE_LATER);
	smtpd_records_free(r);
	assert_null(smtpd_lookup(w.resolver, "", SMTPD_LOOKUP_A, 50, NULL));
	assert_null(smtpd_lookup(w.resolver, "a.", SMTPD_LOOKUP_A, 50, NULL));
	assert_null(smtpd_lookup(w.resolver, NULL, SMTPD_LOOKUP_PTR, 50, NULL));
	end(&w);
}

static void
names_are_confirmed(void **state)
{
	struct world w;
	char name[256];
	bool confirmed;

	(void)state;
	begin(&w);
	assert_int_equal(smtpd_lookup_name(w.resolver, "192.0.2.1", 60000, NULL,
			     name, &confirmed),
	    0);
	assert_string_equal(name, "good.test");
	assert_true(confirmed);
	assert_int_equal(smtpd_lookup_name(w.resolver, "192.0.2.2", 60000, NULL,
			     name, &confirmed),
	    0);
	assert_string_equal(name, "good.test");
	assert_false(confirmed);
	assert_int_equal(smtpd_lookup_name(w.resolver, "192.0.2.3", 60000, NULL,
			     name, &confirmed),
	    -1);
	assert_int_equal(smtpd_lookup_name(w.resolver, "local", 60000, NULL,
			     name, &confirmed),
	    -1);
	end(&w);
}

/* As RFC 5782, 2.1 writes addresses for lists. */
static void
addresses_are_reversed(void **state)
{
	char buf[128];

	(void)state;
	assert_int_equal(
	    smtpd_lookup_reverse("192.0.2.99", "bl.test", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "99.2.0.192.bl.test");
	assert_int_equal(
	    smtpd_lookup_reverse("2001:db8:1:2:3:4:567:89ab", "x", buf, 128),
	    0);
	assert_string_equal(buf,
	    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2."
	    "x");
	assert_int_equal(smtpd_lookup_reverse("local", "x", buf, 128), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_lookup_reverse("192.0.2.99", "x", buf, 12), -1);
	assert_int_equal(errno, ERANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_found),
		cmocka_unit_test(waits_end),
		cmocka_unit_test(names_are_confirmed),
		cmocka_unit_test(addresses_are_reversed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
