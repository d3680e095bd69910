/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_server.h"
#include "resolve/dane.h"

#define SECURE   SMTPD_DANE_SECURE
#define INSECURE SMTPD_DANE_INSECURE
#define BOGUS    SMTPD_DANE_BOGUS
#define FAILED   SMTPD_DANE_FAILED

/* RFC 7672, 2.2.3; RFC 7672, 2.1.2: where TLSA is asked for. */
static void
the_security_of_addresses_says_where(void **state)
{
	static const struct {
		enum smtpd_dane_state host;
		bool is_alias;
		enum smtpd_dane_state alias;
		enum smtpd_dane_place place;
	} rows[] = {
		{ SECURE, false, INSECURE, SMTPD_DANE_AT_NAME },
		{ INSECURE, false, INSECURE, SMTPD_DANE_NOWHERE },
		{ BOGUS, false, INSECURE, SMTPD_DANE_NOT_NOW },
		{ FAILED, false, INSECURE, SMTPD_DANE_NOT_NOW },
		{ SECURE, true, INSECURE, SMTPD_DANE_AT_END },
		{ SECURE, true, SECURE, SMTPD_DANE_AT_END },
		{ INSECURE, true, SECURE, SMTPD_DANE_AT_NAME },
		{ INSECURE, true, INSECURE, SMTPD_DANE_NOWHERE },
		{ INSECURE, true, BOGUS, SMTPD_DANE_NOT_NOW },
		{ INSECURE, true, FAILED, SMTPD_DANE_NOT_NOW },
		{ BOGUS, true, SECURE, SMTPD_DANE_NOT_NOW },
		{ FAILED, true, SECURE, SMTPD_DANE_NOT_NOW },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (smtpd__dane_rules_place(rows[i].host, rows[i].is_alias,
			rows[i].alias) != rows[i].place)
			fail_msg("row %zu", i);
}

/* RFC 7672, 2.1.1; RFC 7672, 2.2: what the answer for TLSA demands. */
static void
the_security_of_records_says_what(void **state)
{
	static const struct {
		enum smtpd_dane_state records;
		bool any;
		enum smtpd_dane_demand demand;
	} rows[] = {
		{ SECURE, true, SMTPD_DANE_RECORDS },
		{ SECURE, false, SMTPD_DANE_NOTHING },
		{ INSECURE, true, SMTPD_DANE_NOTHING },
		{ INSECURE, false, SMTPD_DANE_NOTHING },
		{ BOGUS, true, SMTPD_DANE_LATER },
		{ BOGUS, false, SMTPD_DANE_LATER },
		{ FAILED, true, SMTPD_DANE_LATER },
		{ FAILED, false, SMTPD_DANE_LATER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (smtpd__dane_rules_demand(rows[i].records, rows[i].any) !=
		    rows[i].demand)
			fail_msg("row %zu", i);
}

/* A row of a zone, in the order of the letters of names below: an answer for
 * NAME and TYPE.  The flags are those of a reply. */
struct row {
	const char *name;
	unsigned type;
	unsigned flags;   /* DNS_AD, or an RCODE */
	const char *data; /* an address, an alias, a record; NULL: none */
};

#define SERVFAIL 2
#define WRONG    0x1000 /* SERVFAIL, unless signatures are not checked */
#define NXDOMAIN 3
#define A        1
#define CNAME    5
#define TLSA     52
#define DIGEST   "0123456789abcdef0123456789abcdef"
#define RECORD   "\3\1\1" DIGEST

static const struct row zone[] = {
	{ "mx.secure.test", A, DNS_AD, "192.0.2.1" },
	{ "_25._tcp.mx.secure.test", TLSA, DNS_AD, RECORD },
	{ "_26._tcp.mx.secure.test", TLSA, DNS_AD | NXDOMAIN, NULL },
	{ "mx.plain.test", A, 0, "192.0.2.1" },
	{ "_25._tcp.mx.plain.test", TLSA, SERVFAIL, NULL },
	{ "none.secure.test", A, DNS_AD, "192.0.2.1" },
	{ "_25._tcp.none.secure.test", TLSA, DNS_AD, NULL },
	{ "forged.secure.test", A, DNS_AD, "192.0.2.1" },
	{ "_25._tcp.forged.secure.test", TLSA, 0, RECORD },
	{ "broken.secure.test", A, DNS_AD, "192.0.2.1" },
	{ "_25._tcp.broken.secure.test", TLSA, SERVFAIL, NULL },
	{ "lost.secure.test", A, SERVFAIL, NULL },
	{ "bogus.secure.test", A, DNS_AD, "192.0.2.1" },
	{ "_25._tcp.bogus.secure.test", TLSA, WRONG, RECORD },
	{ "short.secure.test", A, DNS_AD, "192.0.2.1" },
	{ "_25._tcp.short.secure.test", TLSA, DNS_AD, "\3\1" },
	/* Aliases. */
	{ "alias.secure.test", CNAME, DNS_AD, "mx.secure.test" },
	{ "own.secure.test", CNAME, DNS_AD, "none.secure.test" },
	{ "_25._tcp.own.secure.test", TLSA, DNS_AD, RECORD },
	{ "out.secure.test", CNAME, DNS_AD, "mx.plain.test" },
	{ "_25._tcp.out.secure.test", TLSA, DNS_AD, RECORD },
	{ "in.plain.test", CNAME, 0, "mx.secure.test" },
	{ "_25._tcp.in.plain.test", TLSA, DNS_AD, RECORD },
};

static const struct row *
find_row(const char *name, unsigned type)
{
	for (size_t i = 0; i < COUNT(zone); i++)
		if (strcmp(zone[i].name, name) == 0 && zone[i].type == type)
			return &zone[i];
	return NULL;
}

static void
write_row(struct dns_packet *p, const struct row *row)
{
	size_t at;

	if (row->type == A)
		dns_address(p, row->name, 60, row->data);
	else if (row->type == CNAME)
		dns_cname(p, row->name, row->data);
	else {
		at = dns_open(p, DNS_ANSWER, row->name, row->type, 60);
		dns_bytes(p, row->data, strlen(row->data));
		dns_close(p, at);
	}
}

/* Answer Q, and where aliases are followed, all of them: the flags are those of
 * the least secure. */
static void
answer(void *user, const struct dns_query *q, struct dns_reply *reply)
{
	const struct row *row = find_row(q->name, q->type);
	const char *name = q->name;
	unsigned flags = DNS_QR | DNS_RD | DNS_RA | DNS_AD;
	const struct row *alias;

	(void)user;
	while (row == NULL && q->type != CNAME &&
	    (alias = find_row(name, CNAME)) != NULL) {
		flags &= alias->flags | ~(unsigned)DNS_AD;
		write_row(&reply->p, alias);
		name = alias->data;
		row = find_row(name, q->type);
	}
	if (row != NULL && row->flags == WRONG && !q->unchecked) {
		dns_set(&reply->p, 2, flags | SERVFAIL);
		return;
	}
	if (row != NULL && row->data != NULL)
		write_row(&reply->p, row);
	else
		dns_soa(&reply->p, "test", 60, 60);
	if (row != NULL)
		flags = (flags & (row->flags | ~(unsigned)DNS_AD)) |
		    (row->flags & 15);
	dns_set(&reply->p, 2, flags);
}

/* Each is at 127.0.0.1, which is believed. */
static void
each_host_has_its_demand(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		enum smtpd_dane_demand demand;
		const char *base;
		size_t count, unusable;
	} cases[] = {
		{ "mx.secure.test", 25, SMTPD_DANE_RECORDS, "mx.secure.test", 1,
		    0 },
		{ "mx.secure.test", 26, SMTPD_DANE_NOTHING, "", 0, 0 },
		/* Not asked for: some servers fail there. */
		{ "mx.plain.test", 25, SMTPD_DANE_NOTHING, "", 0, 0 },
		{ "none.secure.test", 25, SMTPD_DANE_NOTHING, "", 0, 0 },
		{ "forged.secure.test", 25, SMTPD_DANE_NOTHING, "", 0, 0 },
		/* No failure is an absence. */
		{ "broken.secure.test", 25, SMTPD_DANE_LATER, "", 0, 0 },
		{ "lost.secure.test", 25, SMTPD_DANE_LATER, "", 0, 0 },
		{ "bogus.secure.test", 25, SMTPD_DANE_LATER, "", 0, 0 },
		{ "short.secure.test", 25, SMTPD_DANE_RECORDS,
		    "short.secure.test", 0, 1 },
		{ "alias.secure.test", 25, SMTPD_DANE_RECORDS, "mx.secure.test",
		    1, 0 },
		{ "own.secure.test", 25, SMTPD_DANE_RECORDS, "own.secure.test",
		    1, 0 },
		{ "out.secure.test", 25, SMTPD_DANE_RECORDS, "out.secure.test",
		    1, 0 },
		{ "in.plain.test", 25, SMTPD_DANE_NOTHING, "", 0, 0 },
	};
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.tries = 1,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_resolver *r = smtpd_resolver_create(&settings);
		struct smtpd_dane d;

		assert_int_equal(
		    smtpd__dane_find(r, cases[i].host, cases[i].port, NULL, &d),
		    0);
		if (d.demand != cases[i].demand)
			fail_msg(
			    "%s: %d %s", cases[i].host, d.demand, d.reason);
		assert_string_equal(d.base, cases[i].base);
		assert_int_equal(d.demand == SMTPD_DANE_RECORDS, d.set != NULL);
		if (d.set != NULL) {
			assert_int_equal(d.set->count, cases[i].count);
			assert_int_equal(d.set->unusable, cases[i].unusable);
		}
		assert_int_equal(
		    d.demand == SMTPD_DANE_LATER, d.reason[0] != '\0');
		/* Wrong signatures are told from a server that fails. */
		assert_int_equal(
		    d.bogus, strncmp(cases[i].host, "bogus", 5) == 0);
		free(d.set);
		smtpd_resolver_destroy(r);
	}
	dns_server_stop(s);
}

/* The public interface, in whatever letters. */
static void
a_program_may_ask(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	struct smtpd_resolver *r = smtpd_resolver_create(
	    &(struct smtpd_resolver_settings){ SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s), .tries = 1 });
	struct smtpd_dane_answer *a;
	struct smtpd_tlsa_set *set;
	bool secure;
	char text[64];

	(void)state;
	a = smtpd_resolve_dane(r, "MX.Secure.test.", 25, NULL);
	assert_int_equal(a->demand, SMTPD_DANE_RECORDS);
	assert_string_equal(a->host, "mx.secure.test");
	assert_string_equal(a->base, "mx.secure.test");
	assert_int_equal(smtpd_tlsa_count(a->records), 1);
	smtpd_tlsa_get(a->records, 0, text, sizeof(text));
	assert_string_equal(text, "3 1 1 3031323334353637...");
	smtpd_tlsa_get(a->records, 1, text, sizeof(text));
	assert_string_equal(text, "");
	smtpd_dane_answer_free(a);
	a = smtpd_resolve_dane(r, "broken.secure.test", 25, NULL);
	assert_int_equal(a->demand, SMTPD_DANE_LATER);
	assert_string_not_equal(a->reason, "");
	smtpd_dane_answer_free(a);
	assert_null(smtpd_resolve_dane(r, "no name", 25, NULL));
	assert_null(smtpd_resolve_dane(r, NULL, 25, NULL));
	set = smtpd_resolve_tlsa(r, "mx.secure.test", 25, NULL, &secure);
	assert_int_equal(smtpd_tlsa_count(set), 1);
	assert_true(secure);
	smtpd_tlsa_free(set);
	assert_null(
	    smtpd_resolve_tlsa(r, "none.secure.test", 25, NULL, &secure));
	assert_int_equal(errno, ENOENT);
	assert_null(
	    smtpd_resolve_tlsa(r, "broken.secure.test", 25, NULL, &secure));
	assert_int_equal(errno, EAGAIN);
	assert_null(smtpd_resolve_tlsa(r, "no name", 25, NULL, &secure));
	assert_int_equal(errno, EINVAL);
	smtpd_dane_answer_free(NULL);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_security_of_addresses_says_where),
		cmocka_unit_test(the_security_of_records_says_what),
		cmocka_unit_test(each_host_has_its_demand),
		cmocka_unit_test(a_program_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
