/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/resolve.h>

#include "dns_server.h"
#include "os/clock.h"

#include "test.h"

#define MX 15

#define LATER SMTPD_RESOLVE_LATER
#define NEVER SMTPD_RESOLVE_NEVER
#define FOUND SMTPD_RESOLVE_FOUND

/* Whatever takes longer than this waited for something it must not. */
#define LONG_MS 5000

/* The addresses of hosts; one that is not listed does not exist. */
struct host {
	const char *name;
	const char *addresses; /* divided by blanks, or an RCODE */
};

static const struct host hosts[] = {
	{ "mx.test", "198.51.100.1 2001:db8::1" },
	{ "mx4.test", "198.51.100.4" },
	{ "mx6.test", "2001:db8::6" },
	{ "a.mx.test", "198.51.100.10" },
	{ "b.mx.test", "198.51.100.11" },
	{ "c.mx.test", "198.51.100.12" },
	{ "d.mx.test", "198.51.100.13" },
	{ "empty.test", "" },
	{ "fails.test", "2" },
	{ "refuses.test", "5" },
	{ "implicit.test", "198.51.100.20 2001:db8::20" },
	{ "self.test", "127.0.0.1" },
	{ "self6.test", "::1" },
	{ "mapped.test", "::ffff:127.0.0.1" },
	{ "any.test", "0.0.0.0" },
	{ "private.test", "198.51.100.30 127.0.0.1 198.51.100.31" },
	{ "implicit-self.test", "127.0.0.2" },
	{ "own.name.test", "198.51.100.40" },
	{ "own-implicit.test", "198.51.100.41" },
	{ "many4.test",
	    "198.51.100.50 198.51.100.51 198.51.100.52 198.51.100.53 "
	    "198.51.100.54 198.51.100.55 198.51.100.56 198.51.100.57 "
	    "198.51.100.58 198.51.100.59 198.51.100.60 198.51.100.61" },
	{ "target.test", "198.51.100.70" },
};

/* What is said of MX: faults and right answers. */
typedef void mx_fn(const struct dns_query *q, struct dns_reply *r);

static void
rcode(struct dns_reply *r, unsigned code)
{
	r->p.at[3] = (unsigned char)((r->p.at[3] & 0xf0) | code);
}

static void
say_good(const struct dns_query *q, struct dns_reply *r)
{
	dns_mx(&r->p, q->name, 300, 10, "mx.test");
}

static void
say_silent(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	r->how = DNS_SILENT;
}

static void
say_formerr(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 1);
}

static void
say_servfail(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 2);
}

static void
say_nxdomain(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 3);
	dns_soa(&r->p, "test", 86400, 86400);
}

static void
say_notimp(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 4);
}

static void
say_refused(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 5);
}

static void
say_yxdomain(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 6);
}

static void
say_nodata(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	dns_soa(&r->p, "test", 86400, 86400);
}

static void
say_without_edns(const struct dns_query *q, struct dns_reply *r)
{
	if (q->edns)
		say_formerr(q, r);
	else
		say_good(q, r);
}

/* Only a header, as old servers do. */
static void
say_header_without_edns(const struct dns_query *q, struct dns_reply *r)
{
	if (q->edns)
		dns_begin(&r->p, q->id, DNS_QR | 1);
	else
		say_good(q, r);
}

static void
say_badvers(const struct dns_query *q, struct dns_reply *r)
{
	if (q->edns)
		dns_close(
		    &r->p, dns_open(&r->p, DNS_ADDITIONAL, "", 41, 1 << 24));
	else
		say_good(q, r);
}

/* Over UDP: only over TCP there is more. */
static bool
cut(const struct dns_query *q, struct dns_reply *r)
{
	if (!q->tcp)
		r->p.at[2] |= DNS_TC >> 8;
	return !q->tcp;
}

static void
say_cut(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r))
		say_good(q, r);
}

static void
say_cut_silent(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r))
		r->how = DNS_SILENT;
}

static void
say_cut_reset(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r))
		r->how = DNS_RESET;
}

static void
say_cut_half(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r)) {
		say_good(q, r);
		r->how = DNS_HALF;
	}
}

static void
say_cut_drip(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r)) {
		say_good(q, r);
		r->how = DNS_DRIP;
	}
}

static void
say_cut_again(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	r->p.at[2] |= DNS_TC >> 8;
}

static void
say_cut_stray(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r)) {
		say_good(q, r);
		r->p.at[0] ^= 1;
	}
}

static void
say_cut_servfail(const struct dns_query *q, struct dns_reply *r)
{
	if (!cut(q, r))
		say_servfail(q, r);
}

static void
say_cut_huge(const struct dns_query *q, struct dns_reply *r)
{
	if (cut(q, r))
		return;
	say_good(q, r);
	while (r->p.len < DNS_PACKET_MAX - 300) {
		size_t data = dns_open(&r->p, DNS_ANSWER, q->name, 16, 60);

		for (int i = 0; i < 250; i++)
			dns_u8(&r->p, 'x');
		dns_close(&r->p, data);
	}
}

static void
say_wrong_id(const struct dns_query *q, struct dns_reply *r)
{
	say_good(q, r);
	r->p.at[0] ^= 0x40;
}

static void
say_wrong_port(const struct dns_query *q, struct dns_reply *r)
{
	say_good(q, r);
	r->how = DNS_OTHER_PORT;
}

static void
say_wrong_name(const struct dns_query *q, struct dns_reply *r)
{
	dns_begin(&r->p, q->id, DNS_QR | DNS_RA);
	dns_question(&r->p, "other.test", MX);
	dns_mx(&r->p, "other.test", 300, 10, "mx.test");
}

static void
say_wrong_type(const struct dns_query *q, struct dns_reply *r)
{
	dns_begin(&r->p, q->id, DNS_QR | DNS_RA);
	dns_question(&r->p, q->name, 16);
	say_good(q, r);
}

static void
say_garbage(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	r->p.len = 0;
	for (unsigned i = 0; i < 300; i++)
		dns_u8(&r->p, i * 7 + 3);
}

static void
say_question(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	r->p.at[2] &= 0x7f;
}

static void
say_after_strays(const struct dns_query *q, struct dns_reply *r)
{
	say_good(q, r);
	r->how = DNS_AFTER_STRAYS;
}

static void
say_lame(const struct dns_query *q, struct dns_reply *r)
{
	size_t data;

	dns_begin(&r->p, q->id, DNS_QR);
	dns_question(&r->p, q->name, q->type);
	data = dns_open(&r->p, DNS_AUTHORITY, "test", 2, 60);
	dns_name(&r->p, "ns.test");
	dns_close(&r->p, data);
}

static void
say_null(const struct dns_query *q, struct dns_reply *r)
{
	dns_mx(&r->p, q->name, 300, 0, "");
}

static void
say_null_and_more(const struct dns_query *q, struct dns_reply *r)
{
	dns_mx(&r->p, q->name, 300, 0, "");
	dns_mx(&r->p, q->name, 300, 10, "mx4.test");
}

static void
short_mx(const struct dns_query *q, struct dns_reply *r, size_t len)
{
	size_t data = dns_open(&r->p, DNS_ANSWER, q->name, q->type, 300);

	dns_bytes(&r->p, "\0\12", len);
	dns_close(&r->p, data);
}

static void
say_mx_of_0(const struct dns_query *q, struct dns_reply *r)
{
	short_mx(q, r, 0);
}

static void
say_mx_of_1(const struct dns_query *q, struct dns_reply *r)
{
	short_mx(q, r, 1);
}

static void
say_mx_of_2(const struct dns_query *q, struct dns_reply *r)
{
	short_mx(q, r, 2);
}

static void
say_short_and_good(const struct dns_query *q, struct dns_reply *r)
{
	short_mx(q, r, 2);
	say_good(q, r);
}

static void
say_short_and_dead(const struct dns_query *q, struct dns_reply *r)
{
	short_mx(q, r, 2);
	dns_mx(&r->p, q->name, 300, 10, "gone.test");
}

static void
say_long_length(const struct dns_query *q, struct dns_reply *r)
{
	size_t data = r->p.len;

	say_good(q, r);
	dns_set(&r->p, data + strlen(q->name) + 2 + 8, 5000);
}

static void
say_pointer_loop(const struct dns_query *q, struct dns_reply *r)
{
	size_t data = dns_open(&r->p, DNS_ANSWER, q->name, MX, 300);

	dns_u16(&r->p, 10);
	dns_u16(&r->p, (unsigned)(0xc000 | r->p.len));
	dns_close(&r->p, data);
}

static void
say_alias_loop(const struct dns_query *q, struct dns_reply *r)
{
	dns_cname(&r->p, q->name, "x.test");
	dns_cname(&r->p, "x.test", q->name);
}

/* Each answer leads to a further name: cN.chain.test to cN-1, and c0 has the
 * MX. */
static void
say_chain(const struct dns_query *q, struct dns_reply *r)
{
	unsigned n = (unsigned)strtoul(q->name + 1, NULL, 10);
	char target[32];

	if (n == 0) {
		say_good(q, r);
		return;
	}
	snprintf(target, sizeof(target), "c%u.chain.test", n - 1);
	dns_cname(&r->p, q->name, target);
}

static void
say_alias_gone(const struct dns_query *q, struct dns_reply *r)
{
	dns_cname(&r->p, q->name, "gone.test");
	say_nxdomain(q, r);
}

/* A name whose bytes are no text, which makes it long. */
static void
say_alias_long(const struct dns_query *q, struct dns_reply *r)
{
	size_t data = dns_open(&r->p, DNS_ANSWER, q->name, 5, 300);

	for (int i = 0; i < 4; i++) {
		dns_u8(&r->p, 62);
		for (int k = 0; k < 62; k++)
			dns_u8(&r->p, 1);
	}
	dns_u8(&r->p, 0);
	dns_close(&r->p, data);
}

static void
say_200(const struct dns_query *q, struct dns_reply *r)
{
	if (cut(q, r))
		return;
	for (unsigned i = 0; i < 200; i++)
		dns_mx(&r->p, q->name, 300, 200 - i, "mx4.test");
}

static void
say_200_dead(const struct dns_query *q, struct dns_reply *r)
{
	char host[32];

	if (cut(q, r))
		return;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(host, sizeof(host), "d%u.gone.test", i);
		dns_mx(&r->p, q->name, 300, 10, host);
	}
}

static void
say_ad(const struct dns_query *q, struct dns_reply *r)
{
	r->p.at[3] |= DNS_AD;
	say_good(q, r);
}

static void
say_equal(const struct dns_query *q, struct dns_reply *r)
{
	dns_mx(&r->p, q->name, 300, 20, "d.mx.test");
	dns_mx(&r->p, q->name, 300, 10, "a.mx.test");
	dns_mx(&r->p, q->name, 300, 10, "b.mx.test");
	dns_mx(&r->p, q->name, 300, 10, "c.mx.test");
	dns_mx(&r->p, q->name, 300, 5, "MX.test");
}

static void
say_volatile(const struct dns_query *q, struct dns_reply *r)
{
	dns_mx(&r->p, q->name, 0, 10, "mx.test");
}

/* Names of which each starts with what it is about. */
struct domain {
	const char *name;
	mx_fn *say;
	const char *mx; /* without SAY: "PREFERENCE HOST", divided by blanks */
	enum smtpd_resolve_outcome outcome;
	const char *status; /* or, if found, the addresses in their order */
};

static const struct domain domains[] = {
	{ "good.test", say_good, NULL, FOUND, "2001:db8::1 198.51.100.1" },
	{ "order.test", NULL, "20 mx4.test 10 mx.test 30 mx6.test", FOUND,
	    "2001:db8::1 198.51.100.1 198.51.100.4 2001:db8::6" },
	{ "silent.test", say_silent, NULL, LATER, "4.4.3" },
	{ "formerr.test", say_formerr, NULL, LATER, "4.4.3" },
	{ "servfail.test", say_servfail, NULL, LATER, "4.4.3" },
	{ "notimp.test", say_notimp, NULL, LATER, "4.4.3" },
	{ "refused.test", say_refused, NULL, LATER, "4.4.3" },
	{ "yxdomain.test", say_yxdomain, NULL, LATER, "4.4.3" },
	{ "lame.test", say_lame, NULL, LATER, "4.4.3" },
	{ "nxdomain.test", say_nxdomain, NULL, NEVER, "5.1.2" },
	{ "noedns.test", say_without_edns, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
	{ "header.test", say_header_without_edns, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
	{ "badvers.test", say_badvers, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
	{ "cut.test", say_cut, NULL, FOUND, "2001:db8::1 198.51.100.1" },
	{ "cut-huge.test", say_cut_huge, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
	{ "cut-silent.test", say_cut_silent, NULL, LATER, "4.4.3" },
	{ "cut-reset.test", say_cut_reset, NULL, LATER, "4.4.3" },
	{ "cut-half.test", say_cut_half, NULL, LATER, "4.4.3" },
	{ "cut-drip.test", say_cut_drip, NULL, LATER, "4.4.3" },
	{ "cut-again.test", say_cut_again, NULL, LATER, "4.4.3" },
	{ "cut-stray.test", say_cut_stray, NULL, LATER, "4.4.3" },
	{ "cut-servfail.test", say_cut_servfail, NULL, LATER, "4.4.3" },
	{ "wrong-id.test", say_wrong_id, NULL, LATER, "4.4.3" },
	{ "wrong-port.test", say_wrong_port, NULL, LATER, "4.4.3" },
	{ "wrong-name.test", say_wrong_name, NULL, LATER, "4.4.3" },
	{ "wrong-type.test", say_wrong_type, NULL, LATER, "4.4.3" },
	{ "garbage.test", say_garbage, NULL, LATER, "4.4.3" },
	{ "question.test", say_question, NULL, LATER, "4.4.3" },
	{ "strays.test", say_after_strays, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
	{ "null.test", say_null, NULL, NEVER, "5.1.10" },
	{ "null-more.test", say_null_and_more, NULL, FOUND, "198.51.100.4" },
	{ "mx0.test", say_mx_of_0, NULL, LATER, "4.4.3" },
	{ "mx1.test", say_mx_of_1, NULL, LATER, "4.4.3" },
	{ "mx2.test", say_mx_of_2, NULL, LATER, "4.4.3" },
	{ "mx2-good.test", say_short_and_good, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
	{ "mx2-dead.test", say_short_and_dead, NULL, LATER, "4.4.3" },
	{ "length.test", say_long_length, NULL, LATER, "4.4.3" },
	{ "pointer.test", say_pointer_loop, NULL, LATER, "4.4.3" },
	{ "circle.test", say_alias_loop, NULL, LATER, "4.4.3" },
	{ "c8.chain.test", say_chain, NULL, FOUND, "2001:db8::1 198.51.100.1" },
	{ "c9.chain.test", say_chain, NULL, LATER, "4.4.3" },
	{ "c20.chain.test", say_chain, NULL, LATER, "4.4.3" },
	{ "alias-gone.test", say_alias_gone, NULL, NEVER, "5.1.2" },
	{ "alias-long.test", say_alias_long, NULL, LATER, "4.4.3" },
	{ "m200.test", say_200, NULL, FOUND,
	    "198.51.100.4 198.51.100.4 198.51.100.4 198.51.100.4 "
	    "198.51.100.4 198.51.100.4 198.51.100.4 198.51.100.4 "
	    "198.51.100.4 198.51.100.4" },
	{ "m200-dead.test", say_200_dead, NULL, LATER, "4.4.3" },

	{ "implicit.test", say_nodata, NULL, FOUND,
	    "2001:db8::20 198.51.100.20" },
	{ "empty.test", say_nodata, NULL, NEVER, "5.4.4" },
	{ "fails.test", say_nodata, NULL, LATER, "4.4.3" },
	{ "dead.test", NULL, "10 gone.test 20 empty.test", NEVER, "5.4.4" },
	{ "half-dead.test", NULL, "10 gone.test 20 mx4.test", FOUND,
	    "198.51.100.4" },
	{ "in_doubt.test", NULL, "10 gone.test 20 fails.test", LATER, "4.4.3" },
	{ "refused-host.test", NULL, "10 refuses.test", LATER, "4.4.3" },
	{ "sure.test", NULL, "10 fails.test 20 mx4.test", FOUND,
	    "198.51.100.4" },
	{ "literal.test", NULL, "10 198.51.100.1", NEVER, "5.4.4" },
	{ "literal-more.test", NULL, "10 198.51.100.1 20 mx4.test", FOUND,
	    "198.51.100.4" },
	{ "names.test", NULL, "10 a@b.test 15 -x.test 20 *.test", NEVER,
	    "5.4.4" },

	{ "self-best.test", NULL, "10 self.test 20 mx4.test", NEVER, "5.4.6" },
	{ "self-v6.test", NULL, "10 self6.test", NEVER, "5.4.6" },
	{ "self-mapped.test", NULL, "10 mapped.test", NEVER, "5.4.6" },
	{ "self-any.test", NULL, "10 any.test", NEVER, "5.4.6" },
	{ "self-among.test", NULL, "10 private.test", NEVER, "5.4.6" },
	{ "self-equal.test", NULL, "10 self.test 10 mx4.test 10 mx6.test",
	    NEVER, "5.4.6" },
	{ "self-second.test", NULL, "20 self.test 10 mx4.test 30 mx6.test",
	    FOUND, "198.51.100.4" },
	{ "self-shared.test", NULL,
	    "10 mx4.test 20 mx.test 20 self.test 20 mx6.test", FOUND,
	    "198.51.100.4" },
	{ "self-alone.test", NULL, "10 gone.test 20 self.test", LATER,
	    "4.4.4" },
	{ "self-in_doubt.test", NULL, "10 fails.test 20 self.test", LATER,
	    "4.4.3" },
	{ "self-name.test", NULL, "10 own.name.test 20 mx4.test", NEVER,
	    "5.4.6" },
	{ "self-name2.test", NULL, "10 mx4.test 20 Own.Name.test 30 mx.test",
	    FOUND, "198.51.100.4" },
	{ "implicit-self.test", say_nodata, NULL, NEVER, "5.4.6" },
	{ "own.name.test", say_nodata, NULL, NEVER, "5.4.6" },

	{ "many4.test", say_nodata, NULL, FOUND, NULL },
	{ "ad.test", say_ad, NULL, FOUND, "2001:db8::1 198.51.100.1" },
	{ "equal.test", say_equal, NULL, FOUND, NULL },
	{ "volatile.test", say_volatile, NULL, FOUND,
	    "2001:db8::1 198.51.100.1" },
};

#define NDOMAINS (sizeof(domains) / sizeof(domains[0]))

static void
say_list(const char *list, const struct dns_query *q, struct dns_reply *r)
{
	while (*list != '\0') {
		char host[64];
		unsigned preference;
		int used = 0;

		if (sscanf(list, "%u %63s %n", &preference, host, &used) != 2)
			abort();
		dns_mx(&r->p, q->name, 300, preference, host);
		list += used;
	}
}

static void
answer_mx(const struct dns_query *q, struct dns_reply *r)
{
	for (size_t i = 0; i < NDOMAINS; i++) {
		if (strcmp(domains[i].name, q->name) != 0)
			continue;
		if (domains[i].say != NULL)
			domains[i].say(q, r);
		else
			say_list(domains[i].mx, q, r);
		return;
	}
	if (strstr(q->name, ".chain.test") != NULL)
		say_chain(q, r);
	else
		say_nxdomain(q, r);
}

/* Those of the type that was asked for. */
static void
answer_addresses(
    const char *addresses, const struct dns_query *q, struct dns_reply *r)
{
	while (*addresses != '\0') {
		char address[64];
		int used = 0;

		if (sscanf(addresses, "%63s %n", address, &used) != 1)
			abort();
		if (address[1] == '\0')
			rcode(r, (unsigned)(address[0] - '0'));
		else if ((strchr(address, ':') != NULL) == (q->type == 28))
			dns_address(&r->p, q->name, 300, address);
		addresses += used;
	}
	if (r->p.at[7] == 0)
		dns_soa(&r->p, "test", 86400, 86400);
}

static void
answer(void *user, const struct dns_query *q, struct dns_reply *r)
{
	(void)user;
	if (q->type == MX) {
		answer_mx(q, r);
		return;
	}
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (strcmp(hosts[i].name, q->name) == 0) {
			answer_addresses(hosts[i].addresses, q, r);
			return;
		}
	}
	say_nxdomain(q, r);
}

/* A resolver that asks S, with little patience. */
static struct smtpd_resolver *
make_resolver(struct dns_server *s)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.timeout_ms = 400,
		.tries = 1,
		.total_ms = 3000,
		.hostname = "Own.name.TEST.",
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);

	assert_non_null(r);
	return r;
}

/* The addresses of T in order, divided by blanks. */
static const char *
addresses_of(const struct smtpd_targets *t, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < t->count && len + 50 < size; i++) {
		const struct sockaddr_storage *addr =
		    &smtpd_targets_get(t, i)->addr;
		const struct sockaddr_in *in = (const void *)addr;
		const struct sockaddr_in6 *in6 = (const void *)addr;

		if (i > 0)
			buf[len++] = ' ';
		inet_ntop(in->sin_family,
		    in->sin_family == AF_INET ? (const void *)&in->sin_addr
					      : (const void *)&in6->sin6_addr,
		    buf + len, (socklen_t)(size - len));
		len += strlen(buf + len);
	}
	return buf;
}

/* What holds of every result, whatever the domain. */
static bool
is_sound(const struct smtpd_targets *t)
{
	bool found = t->outcome == FOUND;

	for (size_t i = 0; i < t->count; i++) {
		const struct smtpd_target *to = smtpd_targets_get(t, i);
		const struct sockaddr_in *in = (const void *)&to->addr;

		if (in->sin_port != 0 || to->host[0] == '\0' ||
		    to->len !=
			(in->sin_family == AF_INET
				? sizeof(struct sockaddr_in)
				: sizeof(struct sockaddr_in6)))
			return false;
	}
	if (t->outcome == LATER && t->ttl_s != 0)
		return false;
	return (t->count > 0) == found && (t->reason[0] == '\0') == found &&
	    t->ttl_s <= (found ? 3600u : 300u);
}

/* Not an assertion, as threads besides the first ask this too. */
static bool
is_as_said(const struct domain *d, const struct smtpd_targets *t)
{
	char text[1024];
	const char *got;

	if (t == NULL)
		return false;
	got = t->outcome == FOUND ? addresses_of(t, text, sizeof(text))
				  : t->status;
	if (is_sound(t) && t->outcome == d->outcome &&
	    (d->status == NULL || strcmp(got, d->status) == 0))
		return true;
	fprintf(
	    stderr, "%s: %d %s %s\n", d->name, (int)t->outcome, got, t->reason);
	return false;
}

/* RFC 5321, 5.1; RFC 5321, 5.2; RFC 7505, 3; RFC 1035, 4.2.2 */
static void
every_domain_has_its_outcome(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);

	(void)state;
	for (size_t i = 0; i < NDOMAINS; i++) {
		struct smtpd_resolver *r = make_resolver(s);
		uint64_t begin = smtpd__clock_ms();
		struct smtpd_targets *t =
		    smtpd_resolve(r, domains[i].name, NULL);

		assert_true(is_as_said(&domains[i], t));
		assert_true(smtpd__clock_ms() - begin < LONG_MS);
		smtpd_targets_free(t);
		smtpd_resolver_destroy(r);
	}
	dns_server_stop(s);
}

/* Resolve NAME, free the result, and return how many questions that took. */
static unsigned
questions_for(struct smtpd_resolver *r, struct dns_server *s, const char *name)
{
	unsigned before = dns_server_questions(s);

	smtpd_targets_free(smtpd_resolve(r, name, NULL));
	return dns_server_questions(s) - before;
}

static void
what_is_known_is_not_asked_for(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	struct smtpd_resolver *r = make_resolver(s);

	(void)state;
	assert_int_equal(questions_for(r, s, "good.test"), 3);
	assert_int_equal(questions_for(r, s, "good.test"), 0);
	assert_int_equal(questions_for(r, s, "GOOD.test."), 0);
	assert_int_equal(questions_for(r, s, "ad.test"), 1);
	assert_int_equal(questions_for(r, s, "nxdomain.test"), 1);
	assert_int_equal(questions_for(r, s, "nxdomain.test"), 0);
	assert_int_equal(questions_for(r, s, "volatile.test"), 1);
	assert_int_equal(questions_for(r, s, "volatile.test"), 1);
	assert_int_equal(questions_for(r, s, "servfail.test"), 1);
	assert_int_equal(questions_for(r, s, "servfail.test"), 1);
	assert_int_equal(questions_for(r, s, "noedns.test"), 2);
	assert_int_equal(questions_for(r, s, "cut.test"), 2);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

static void
what_cannot_be_asked_for_is_not(void **state)
{
	static const struct domain cases[] = {
		{ "198.51.100.1", NULL, NULL, NEVER, "5.1.2" },
		{ "", NULL, NULL, NEVER, "5.1.2" },
		{ ".", NULL, NULL, NEVER, "5.1.2" },
		{ "a..test", NULL, NULL, NEVER, "5.1.2" },
		{ "a\r\nb.test", NULL, NULL, NEVER, "5.1.2" },
		{ "\xff.test", NULL, NULL, NEVER, "5.1.2" },
		{ "[", NULL, NULL, NEVER, "5.1.3" },
		{ "[good.test]", NULL, NULL, NEVER, "5.1.3" },
		{ "[198.51.100.300]", NULL, NULL, NEVER, "5.1.3" },
		{ "[127.0.0.1]", NULL, NULL, NEVER, "5.4.6" },
		{ "[IPv6:::1]", NULL, NULL, NEVER, "5.4.6" },
		{ "[198.51.100.1]", NULL, NULL, FOUND, "198.51.100.1" },
		{ "[IPv6:2001:db8::1]", NULL, NULL, FOUND, "2001:db8::1" },
	};
	struct dns_server *s = dns_server_start(answer, NULL);
	struct smtpd_resolver *r = make_resolver(s);
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct domain *c = &cases[i];
		struct smtpd_targets *t = smtpd_resolve(r, c->name, NULL);

		if (t->outcome != c->outcome ||
		    strcmp(t->outcome == FOUND
			    ? addresses_of(t, text, sizeof(text))
			    : t->status,
			c->status) != 0)
			fail_msg("%s", c->name);
		for (const char *p = t->reason; *p != '\0'; p++)
			assert_true(*p >= ' ' && *p <= '~');
		if (t->count > 0)
			assert_string_equal(
			    smtpd_targets_get(t, 0)->host, c->name);
		smtpd_targets_free(t);
	}
	assert_int_equal(dns_server_questions(s), 0);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

static void
a_long_domain_is_cut_in_the_reason(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	struct smtpd_resolver *r = make_resolver(s);
	char *domain = malloc(100001);
	struct smtpd_targets *t;

	(void)state;
	assert_non_null(domain);
	memset(domain, 'a', 100000);
	domain[100000] = '\0';
	t = smtpd_resolve(r, domain, NULL);
	assert_int_equal(t->outcome, NEVER);
	assert_true(strlen(t->reason) < 400);
	smtpd_targets_free(t);
	free(domain);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

static void
results_tell_all(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	struct smtpd_resolver *r = make_resolver(s);
	struct smtpd_targets *t = smtpd_resolve(r, "EQUAL.test", NULL);

	(void)state;
	assert_true(t->mx);
	assert_false(t->authenticated);
	assert_int_equal(t->count, 6);
	assert_string_equal(smtpd_targets_get(t, 0)->host, "mx.test");
	assert_int_equal(smtpd_targets_get(t, 0)->preference, 5);
	assert_int_equal(smtpd_targets_get(t, 2)->preference, 10);
	assert_int_equal(smtpd_targets_get(t, 5)->preference, 20);
	assert_string_equal(smtpd_targets_get(t, 5)->host, "d.mx.test");
	assert_int_equal(t->ttl_s, 300);
	smtpd_targets_free(t);
	t = smtpd_resolve(r, "implicit.test", NULL);
	assert_false(t->mx);
	assert_string_equal(smtpd_targets_get(t, 0)->host, "implicit.test");
	assert_int_equal(smtpd_targets_get(t, 0)->preference, 0);
	smtpd_targets_free(t);
	t = smtpd_resolve(r, "ad.test", NULL);
	assert_true(t->authenticated);
	assert_false(smtpd_targets_get(t, 0)->authenticated);
	smtpd_targets_free(t);
	t = smtpd_resolve(r, "many4.test", NULL);
	assert_int_equal(t->count, 10);
	smtpd_targets_free(t);
	smtpd_targets_free(NULL);
	smtpd_resolver_destroy(r);
	smtpd_resolver_destroy(NULL);
	dns_server_stop(s);
}

static void
this_host_may_be_good(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.hostname = "own.name.test",
		.self_is_good = true,
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);
	struct smtpd_targets *t = smtpd_resolve(r, "self-best.test", NULL);
	char text[1024];

	(void)state;
	assert_string_equal(
	    addresses_of(t, text, sizeof(text)), "127.0.0.1 198.51.100.4");
	smtpd_targets_free(t);
	t = smtpd_resolve(r, "self-name.test", NULL);
	assert_int_equal(t->count, 2);
	smtpd_targets_free(t);
	t = smtpd_resolve(r, "[127.0.0.1]", NULL);
	assert_int_equal(t->outcome, FOUND);
	smtpd_targets_free(t);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

static void
settings_must_be_good(void **state)
{
	static const char *const bad[] = { "", "nonsense", "127.0.0.1:0" };
	struct smtpd_resolver *r = smtpd_resolver_create(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct smtpd_resolver_settings settings = {
			SMTPD_RESOLVER_SETTINGS_INIT, .servers = bad[i]
		};

		errno = 0;
		assert_null(smtpd_resolver_create(&settings));
		assert_int_equal(errno, EINVAL);
	}
	assert_non_null(r);
	smtpd_resolver_destroy(r);
}

/* Resolve NAME with two servers, of which the second answers; return the
 * milliseconds. */
static uint64_t
time_with(struct smtpd_resolver *r, const char *name)
{
	uint64_t begin = smtpd__clock_ms();
	struct smtpd_targets *t = smtpd_resolve(r, name, NULL);

	if (t->outcome != FOUND)
		fail_msg("%s: %s", name, t->reason);
	smtpd_targets_free(t);
	return smtpd__clock_ms() - begin;
}

static struct smtpd_resolver *
make_two(const char *first, const char *second, uint32_t timeout_ms)
{
	char servers[80];
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = servers,
		.timeout_ms = timeout_ms,
		.total_ms = 20000,
	};
	struct smtpd_resolver *r;

	snprintf(servers, sizeof(servers), "%s %s", first, second);
	r = smtpd_resolver_create(&settings);
	assert_non_null(r);
	return r;
}

static void
say_to_all(void *user, const struct dns_query *q, struct dns_reply *r)
{
	(*(mx_fn *const *)user)(q, r);
}

static void
another_server_is_asked(void **state)
{
	static mx_fn *const faults[] = { say_servfail, say_refused, say_notimp,
		say_formerr, say_lame, say_mx_of_0 };
	struct dns_server *good = dns_server_start(answer, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		mx_fn *fault = faults[i];
		struct dns_server *bad = dns_server_start(say_to_all, &fault);
		struct smtpd_resolver *r = make_two(
		    dns_server_address(bad), dns_server_address(good), LONG_MS);

		assert_true(time_with(r, "good.test") < LONG_MS);
		assert_true(dns_server_questions(bad) >= 3);
		smtpd_resolver_destroy(r);
		dns_server_stop(bad);
	}
	dns_server_stop(good);
}

static void
a_closed_port_is_no_wait(void **state)
{
	struct dns_server *good = dns_server_start(answer, NULL);
	struct dns_server *gone = dns_server_start(answer, NULL);
	char address[32];
	struct smtpd_resolver *r;

	(void)state;
	snprintf(address, sizeof(address), "%s", dns_server_address(gone));
	dns_server_stop(gone);
	r = make_two(address, dns_server_address(good), LONG_MS);
	assert_true(time_with(r, "good.test") < LONG_MS);
	smtpd_resolver_destroy(r);
	dns_server_stop(good);
}

/* The first question finds out; the others go to the other server at once. */
static void
a_silent_server_is_asked_last(void **state)
{
	mx_fn *fault = say_silent;
	struct dns_server *good = dns_server_start(answer, NULL);
	struct dns_server *bad = dns_server_start(say_to_all, &fault);
	struct smtpd_resolver *r =
	    make_two(dns_server_address(bad), dns_server_address(good), 300);

	(void)state;
	assert_true(time_with(r, "good.test") >= 300);
	time_with(r, "order.test");
	time_with(r, "cut.test");
	assert_int_equal(dns_server_questions(bad), 1);
	smtpd_resolver_destroy(r);
	dns_server_stop(bad);
	dns_server_stop(good);
}

static void
silent_servers_are_asked_again(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.timeout_ms = 50,
		.tries = 4,
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);

	(void)state;
	assert_int_equal(questions_for(r, s, "silent.test"), 4);
	assert_int_equal(questions_for(r, s, "servfail.test"), 1);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

static void
the_whole_has_a_deadline(void **state)
{
	static const char *const names[] = { "silent.test", "cut-silent.test",
		"cut-drip.test", "wrong-id.test" };
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.timeout_ms = 60000,
		.total_ms = 300,
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t begin = smtpd__clock_ms();
		struct smtpd_targets *t = smtpd_resolve(r, names[i], NULL);
		uint64_t took = smtpd__clock_ms() - begin;

		assert_int_equal(t->outcome, LATER);
		if (took < 300 || took > LONG_MS)
			fail_msg("%s: %u", names[i], (unsigned)took);
		smtpd_targets_free(t);
	}
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

struct waiting {
	struct smtpd_resolver *r;
	struct smtpd_cancel *cancel;
	const char *name;
};

static void *
resolve_until_cancelled(void *arg)
{
	const struct waiting *w = arg;
	struct smtpd_targets *t = smtpd_resolve(w->r, w->name, w->cancel);
	bool good =
	    t != NULL && t->outcome == LATER && strcmp(t->status, "4.4.3") == 0;

	smtpd_targets_free(t);
	return good ? arg : NULL;
}

static void
another_thread_may_cancel(void **state)
{
	static const char *const names[] = { "silent.test", "cut-silent.test" };
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.timeout_ms = 60000,
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct smtpd_cancel *c = smtpd_cancel_create();
		struct waiting w = { r, c, names[i] };
		unsigned want = dns_server_questions(s) + 1 + (unsigned)i;
		uint64_t begin = smtpd__clock_ms();
		pthread_t thread;
		void *good;

		pthread_create(&thread, NULL, resolve_until_cancelled, &w);
		while (dns_server_questions(s) < want)
			poll(NULL, 0, 1);
		smtpd_cancel_trigger(c);
		pthread_join(thread, &good);
		assert_non_null(good);
		assert_true(smtpd__clock_ms() - begin < LONG_MS);
		smtpd_cancel_destroy(c);
	}
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

static void
cancelled_before_it_asks_nothing(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	struct smtpd_resolver *r = make_resolver(s);
	struct smtpd_cancel *c = smtpd_cancel_create();
	struct waiting w = { r, c, "good.test" };
	unsigned asked;

	(void)state;
	smtpd_cancel_trigger(c);
	assert_non_null(resolve_until_cancelled(&w));
	questions_for(r, s, "good.test");
	asked = dns_server_questions(s);
	assert_non_null(resolve_until_cancelled(&w));
	assert_int_equal(dns_server_questions(s), asked);
	smtpd_cancel_destroy(c);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

#define THREADS 16

/* Each thread begins elsewhere in the list; what waits is left out. */
struct worker {
	struct smtpd_resolver *r;
	size_t start;
	size_t wrong;
	pthread_t thread;
};

static void *
resolve_many(void *arg)
{
	struct worker *w = arg;

	for (size_t i = 0; i < NDOMAINS; i++) {
		const struct domain *d = &domains[(w->start + i) % NDOMAINS];
		struct smtpd_targets *t;

		if (d->outcome == LATER)
			continue;
		t = smtpd_resolve(w->r, d->name, NULL);
		w->wrong += !is_as_said(d, t);
		smtpd_targets_free(t);
	}
	return NULL;
}

static void
many_threads_ask_at_once(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = dns_server_address(s),
		.hostname = "own.name.test",
		.timeout_ms = 5000,
		.cache_max = 20,
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);
	struct worker workers[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .r = r, .start = i * 5 };
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
				     resolve_many, &workers[i]),
		    0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_domain_has_its_outcome),
		cmocka_unit_test(what_is_known_is_not_asked_for),
		cmocka_unit_test(what_cannot_be_asked_for_is_not),
		cmocka_unit_test(a_long_domain_is_cut_in_the_reason),
		cmocka_unit_test(results_tell_all),
		cmocka_unit_test(this_host_may_be_good),
		cmocka_unit_test(settings_must_be_good),
		cmocka_unit_test(another_server_is_asked),
		cmocka_unit_test(a_closed_port_is_no_wait),
		cmocka_unit_test(a_silent_server_is_asked_last),
		cmocka_unit_test(silent_servers_are_asked_again),
		cmocka_unit_test(the_whole_has_a_deadline),
		cmocka_unit_test(another_thread_may_cancel),
		cmocka_unit_test(cancelled_before_it_asks_nothing),
		cmocka_unit_test(many_threads_ask_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
