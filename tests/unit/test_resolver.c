/* SPDX-License-Identifier: MIT */
/* The resolver where a zone as a file (tests/resolve) is not enough: messages
 * that are wrong, several servers, deadlines, cancelling, threads. */
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/resolve.h>

#include "dns_server.h"
#include "os/clock.h"
#include "resolved.h"

#include "test.h"

#define MX 15

#define LATER SMTPD_RESOLVE_LATER
#define NEVER SMTPD_RESOLVE_NEVER
#define FOUND SMTPD_RESOLVE_FOUND

/* Whatever takes longer than this waited for something it must not. */
#define LONG_MS 5000

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

/* Names of which each starts with what it is about. */
struct domain {
	const char *name;
	mx_fn *say;
	const char *result;
};

#define GOOD     "found 2001:db8::1 198.51.100.1"
#define IN_DOUBT "later 4.4.3"

static const struct domain domains[] = {
	{ "good.test", say_good, GOOD },
	{ "header.test", say_header_without_edns, GOOD },
	{ "badvers.test", say_badvers, GOOD },
	{ "cut.test", say_cut, GOOD },
	{ "cut-huge.test", say_cut_huge, GOOD },
	{ "cut-reset.test", say_cut_reset, IN_DOUBT },
	{ "cut-half.test", say_cut_half, IN_DOUBT },
	{ "cut-drip.test", say_cut_drip, IN_DOUBT },
	{ "cut-again.test", say_cut_again, IN_DOUBT },
	{ "cut-stray.test", say_cut_stray, IN_DOUBT },
	{ "cut-silent.test", say_cut_silent, IN_DOUBT },
	{ "silent.test", say_silent, IN_DOUBT },
	{ "wrong-id.test", say_wrong_id, IN_DOUBT },
	{ "wrong-port.test", say_wrong_port, IN_DOUBT },
	{ "wrong-name.test", say_wrong_name, IN_DOUBT },
	{ "wrong-type.test", say_wrong_type, IN_DOUBT },
	{ "garbage.test", say_garbage, IN_DOUBT },
	{ "question.test", say_question, IN_DOUBT },
	{ "strays.test", say_after_strays, GOOD },
	{ "mx0.test", say_mx_of_0, IN_DOUBT },
	{ "mx1.test", say_mx_of_1, IN_DOUBT },
	{ "mx2.test", say_mx_of_2, IN_DOUBT },
	{ "mx2-good.test", say_short_and_good, GOOD },
	{ "mx2-dead.test", say_short_and_dead, IN_DOUBT },
	{ "length.test", say_long_length, IN_DOUBT },
	{ "pointer.test", say_pointer_loop, IN_DOUBT },
	{ "alias-long.test", say_alias_long, IN_DOUBT },
};

static void
say_nothing_of(const struct dns_query *q, struct dns_reply *r)
{
	(void)q;
	rcode(r, 3);
	dns_soa(&r->p, "test", 86400, 86400);
}

/* Domain nN.test, whose host is hN.test, at the address 198.51.100.N. */
static void
say_numbered(const struct dns_query *q, struct dns_reply *r)
{
	unsigned n = (unsigned)strtoul(q->name + 1, NULL, 10);
	char text[32];

	if (q->type == MX && q->name[0] == 'n') {
		snprintf(text, sizeof(text), "h%u.test", n);
		dns_mx(&r->p, q->name, 300, 10, text);
	} else if (q->type == 1) {
		snprintf(text, sizeof(text), "198.51.100.%u", n);
		dns_address(&r->p, q->name, 300, text);
	} else {
		dns_soa(&r->p, "test", 86400, 86400);
	}
}

static void
say_address(const struct dns_query *q, struct dns_reply *r)
{
	dns_address(
	    &r->p, q->name, 300, q->type == 1 ? "198.51.100.1" : "2001:db8::1");
}

static void
answer(void *user, const struct dns_query *q, struct dns_reply *r)
{
	(void)user;
	for (size_t i = 0; q->type == MX && i < COUNT(domains); i++)
		if (strcmp(domains[i].name, q->name) == 0) {
			domains[i].say(q, r);
			return;
		}
	if (q->type != MX && strcmp(q->name, "mx.test") == 0)
		say_address(q, r);
	else if (q->name[1] >= '0' && q->name[1] <= '9')
		say_numbered(q, r);
	else
		say_nothing_of(q, r);
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
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);

	assert_non_null(r);
	return r;
}

/* Not an assertion, as threads besides the first ask this too. */
static bool
is_as_said(const char *name, const char *result, const struct smtpd_targets *t)
{
	char text[1024];

	if (t == NULL)
		return false;
	if (resolved_is_sound(t, true) &&
	    strcmp(resolved_text(t, text, sizeof(text)), result) == 0)
		return true;
	fprintf(stderr, "%s: %s %s\n", name, text, t->reason);
	return false;
}

/* RFC 1035, 4.2.2 */
static void
no_wrong_message_is_believed(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(domains); i++) {
		const struct domain *d = &domains[i];
		struct smtpd_resolver *r = make_resolver(s);
		uint64_t begin = smtpd__clock_ms();
		struct smtpd_targets *t = smtpd_resolve(r, d->name, NULL);

		assert_true(is_as_said(d->name, d->result, t));
		assert_true(smtpd__clock_ms() - begin < LONG_MS);
		smtpd_targets_free(t);
		smtpd_resolver_destroy(r);
	}
	dns_server_stop(s);
}

static void
nothing_is_freed(void **state)
{
	(void)state;
	smtpd_targets_free(NULL);
	smtpd_resolver_destroy(NULL);
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
	time_with(r, "n1.test");
	time_with(r, "cut.test");
	assert_int_equal(dns_server_questions(bad), 1);
	smtpd_resolver_destroy(r);
	dns_server_stop(bad);
	dns_server_stop(good);
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
	smtpd_targets_free(smtpd_resolve(r, "good.test", NULL));
	asked = dns_server_questions(s);
	assert_non_null(resolve_until_cancelled(&w));
	assert_int_equal(dns_server_questions(s), asked);
	smtpd_cancel_destroy(c);
	smtpd_resolver_destroy(r);
	dns_server_stop(s);
}

#define THREADS 16

/* More than the cache holds. */
#define NUMBERED 80

/* Each thread begins elsewhere. */
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

	for (size_t i = 0; i < NUMBERED; i++) {
		size_t n = (w->start + i) % NUMBERED;
		char name[32], result[64];
		struct smtpd_targets *t;

		snprintf(name, sizeof(name), "n%zu.test", n);
		snprintf(result, sizeof(result), "found 198.51.100.%zu", n);
		t = smtpd_resolve(w->r, name, NULL);
		w->wrong += !is_as_said(name, result, t);
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

/* S10: mail for an address of this host is delivered there. */
static void
own_addresses_are_targets(void **state)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT, .servers = "127.0.0.1"
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);
	struct ifaddrs *all;

	(void)state;
	assert_int_equal(getifaddrs(&all), 0);
	for (struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
		char address[64], literal[80];
		struct smtpd_targets *t;

		if (at->ifa_addr == NULL ||
		    at->ifa_addr->sa_family != AF_INET ||
		    getnameinfo(at->ifa_addr, sizeof(struct sockaddr_in),
			address, sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		snprintf(literal, sizeof(literal), "[%s]", address);
		t = smtpd_resolve(r, literal, NULL);
		assert_non_null(t);
		assert_int_equal(t->outcome,
		    strncmp(address, "127.", 4) == 0 ||
			    strncmp(address, "169.254.", 8) == 0
			? NEVER
			: FOUND);
		smtpd_targets_free(t);
	}
	freeifaddrs(all);
	smtpd_resolver_destroy(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wrong_message_is_believed),
		cmocka_unit_test(nothing_is_freed),
		cmocka_unit_test(a_long_domain_is_cut_in_the_reason),
		cmocka_unit_test(settings_must_be_good),
		cmocka_unit_test(own_addresses_are_targets),
		cmocka_unit_test(another_server_is_asked),
		cmocka_unit_test(a_closed_port_is_no_wait),
		cmocka_unit_test(a_silent_server_is_asked_last),
		cmocka_unit_test(the_whole_has_a_deadline),
		cmocka_unit_test(another_thread_may_cancel),
		cmocka_unit_test(cancelled_before_it_asks_nothing),
		cmocka_unit_test(many_threads_ask_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
