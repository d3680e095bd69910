/* SPDX-License-Identifier: MIT */
#include "resolve/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sized.h"
#include "base/text.h"
#include "os/clock.h"
#include "resolve/fetch.h"
#include "resolve/hostname.h"
#include "resolve/mx.h"
#include "resolve/pair.h"
#include "resolve/targets.h"

/* Hosts of one domain that are looked up. */
#define HOSTS_MAX 32

/* One look-up under way. */
struct lookup {
	struct smtpd_resolver *r;
	const struct smtpd_cancel *cancel;
	uint64_t deadline;
	char shown[SMTPD_DNS_HOST_MAX];  /* the domain in reasons */
	char name[SMTPD_DNS_HOST_MAX];   /* and for the DNS */
	char bad_mx[SMTPD_DNS_HOST_MAX]; /* an MX that is no name; "": none */
	bool mx;
	bool gone; /* the domain does not exist, as was said of its MX */
	bool authenticated;
	uint32_t ttl_s;
	const char *trouble; /* what the DNS failed at; NULL: nothing */
	bool silent;         /* since no server answered */
	bool answered;       /* one did, to this question or another */
	char silence[512];   /* that trouble, with the servers */
	bool no_memory;
	bool refused; /* private addresses were left out */
	bool exists;  /* one of the hosts, though it may have no address */
	bool cut;     /* hosts were left out, as one of them is this one */
	size_t nhosts;
	struct smtpd_mx_list found;
	struct smtpd_mx_host hosts[SMTPD_DNS_RECORDS_MAX];
};

static uint32_t
or_default(uint32_t value, uint32_t fallback)
{
	return value == 0 ? fallback : value;
}

static int
set_up(struct smtpd_resolver *r, const struct smtpd_resolver_settings *settings)
{
	const struct smtpd_dns_settings dns = {
		.servers = settings->servers,
		.timeout_ms = or_default(settings->timeout_ms, 5000),
		.tries = or_default(settings->tries, 2),
		.trust = settings->trust_servers,
	};

	r->total_ms = or_default(settings->total_ms, 60000);
	r->max_addresses = or_default(settings->max_addresses, 10);
	r->self_is_good = settings->self_is_good;
	r->refuse_private = settings->refuse_private;
	r->dns = smtpd__dns_create(&dns);
	if (r->dns == NULL)
		return -1;
	r->cache = smtpd__cache_create(or_default(settings->cache_max, 4096),
	    or_default(settings->cache_ttl_max_s, 3600));
	errno = ENOMEM;
	return r->cache == NULL ? -1 : 0;
}

struct smtpd_resolver *
smtpd_resolver_create(const struct smtpd_resolver_settings *settings)
{
	struct smtpd_resolver_settings known;
	struct smtpd_resolver *r;
	int saved;

	if (smtpd__sized_copy(&known, sizeof(known), settings) == -1)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	if (set_up(r, &known) == 0)
		return r;
	saved = errno;
	smtpd_resolver_destroy(r);
	errno = saved;
	return NULL;
}

void
smtpd_resolver_destroy(struct smtpd_resolver *r)
{
	if (r == NULL)
		return;
	smtpd__dns_destroy(r->dns);
	smtpd__cache_destroy(r->cache);
	free(r);
}

/* No server answered: name them beside the trouble. */
static void
name_servers(struct lookup *l)
{
	struct smtpd_text text;

	smtpd__text_init(&text, l->silence, sizeof(l->silence));
	smtpd__text_format(&text, "%s: ", l->trouble);
	smtpd__dns_list_servers(l->r->dns, &text);
	l->trouble = l->silence;
}

/* Take note of what ANSWER means for all; NULL: there is no memory for it. */
static struct smtpd_dns_answer *
note_answer(struct lookup *l, struct smtpd_dns_answer *answer)
{
	if (answer == NULL) {
		l->no_memory = true;
		return NULL;
	}
	l->answered = l->answered || !(answer->silent || answer->cached);
	if (answer->status == SMTPD_DNS_FAILED) {
		l->trouble = answer->reason;
		l->silent = answer->silent;
		if (l->silent)
			name_servers(l);
		return answer;
	}
	if (answer->damaged)
		l->trouble = "the DNS has records that cannot be read";
	if (answer->ttl_s < l->ttl_s)
		l->ttl_s = answer->ttl_s;
	return answer;
}

/* Leave out the hosts from number I on, and those before it that are not
 * preferred to it (RFC 5321, 5.1). */
static void
cut_hosts(struct lookup *l, size_t i)
{
	while (i > 0 && l->hosts[i - 1].preference == l->hosts[i].preference)
		i--;
	l->cut = true;
	l->nhosts = i;
	smtpd__mx_cut(&l->found, i);
}

/* An MX that is no name of a host, like an address, leads nowhere. */
static void
list_hosts(struct lookup *l, const struct smtpd_dns_answer *answer)
{
	struct smtpd_text bad;

	for (size_t i = 0; i < answer->count; i++) {
		struct smtpd_mx_host *host = &l->hosts[i];

		host->preference = answer->records[i].preference;
		if (smtpd__hostname_normalise(
			answer->records[i].host, host->name) == 0)
			continue;
		host->name[0] = '\0';
		smtpd__text_init(&bad, l->bad_mx, sizeof(l->bad_mx));
		smtpd__text_filtered(&bad, answer->records[i].host,
		    strlen(answer->records[i].host));
	}
	l->nhosts = answer->count;
	smtpd__mx_sort(l->hosts, l->nhosts);
}

/* Without MX the domain is its own mail host (RFC 5321, 5.1). */
static void
list_domain(struct lookup *l)
{
	memcpy(l->hosts[0].name, l->name, sizeof(l->name));
	l->nhosts = 1;
}

/*
 * Whether IP can mean this host only.  An address of one of its interfaces is
 * no loop: another program receives there, and what that relays is stopped by
 * its Received fields.
 */
static bool
is_self(const struct smtpd_resolver *r, const struct smtpd_ip *ip)
{
	return !r->self_is_good && smtpd__ip_is_local(ip);
}

static bool
is_refused(const struct smtpd_resolver *r, const struct smtpd_ip *ip)
{
	return r->refuse_private && smtpd__ip_is_private(ip);
}

/* Leave the addresses that are not to be connected to out of ANSWER. */
static void
drop_private(struct lookup *l, struct smtpd_dns_answer *answer, int family)
{
	size_t kept = 0;

	for (size_t i = 0; i < answer->count; i++) {
		const struct smtpd_ip ip =
		    smtpd__ip_make(family, answer->records[i].address);

		if (is_refused(l->r, &ip))
			l->refused = true;
		else
			answer->records[kept++] = answer->records[i];
	}
	answer->count = kept;
}

static bool
has_self(const struct smtpd_resolver *r, const struct smtpd_dns_answer *answer,
    int family)
{
	for (size_t i = 0; i < answer->count; i++) {
		const struct smtpd_ip ip =
		    smtpd__ip_make(family, answer->records[i].address);

		if (is_self(r, &ip))
			return true;
	}
	return false;
}

/* Append the addresses of host number I, or leave it out with those behind
 * it. */
static int
add_addresses(struct lookup *l, size_t i, struct smtpd_dns_answer *six,
    struct smtpd_dns_answer *four)
{
	if (six == NULL || four == NULL)
		return -1;
	if (has_self(l->r, six, AF_INET6) || has_self(l->r, four, AF_INET)) {
		cut_hosts(l, i);
		return 0;
	}
	drop_private(l, six, AF_INET6);
	drop_private(l, four, AF_INET);
	return smtpd__mx_add(&l->found, i, six, four, l->r->max_addresses);
}

static void
look_up_host(struct lookup *l, size_t i)
{
	const char *name = l->hosts[i].name;
	struct smtpd_pair p;

	smtpd__pair_get(
	    l->r->dns, l->r->cache, name, l->deadline, l->cancel, &p);
	note_answer(l, p.six);
	note_answer(l, p.four);
	if (add_addresses(l, i, p.six, p.four) != 0)
		l->no_memory = true;
	else if (p.six->status != SMTPD_DNS_NXDOMAIN)
		l->exists = true;
	free(p.six);
	free(p.four);
}

/* Where there is enough, those of the same preference are looked at still:
 * one of them could be this host. */
static void
find_addresses(struct lookup *l)
{
	for (size_t i = 0; i < l->nhosts && !l->no_memory; i++) {
		if (i > 0 &&
		    l->hosts[i].preference != l->hosts[i - 1].preference &&
		    smtpd__mx_is_full(&l->found, l->r->max_addresses))
			return;
		if (i == HOSTS_MAX) {
			l->trouble = "there are too many of them";
			return;
		}
		if (l->hosts[i].name[0] != '\0')
			look_up_host(l, i);
	}
}

static struct smtpd_targets *
say_later(const struct lookup *l, const char *trouble)
{
	return smtpd__targets_none(SMTPD_RESOLVE_LATER, "4.4.3",
	    "The mail hosts of %s could not be found out: %s", l->shown,
	    trouble);
}

/* All answers are clear: nothing leads to a host.  Say why. */
static struct smtpd_targets *
say_never(const struct lookup *l)
{
	const enum smtpd_resolve_outcome never = SMTPD_RESOLVE_NEVER;

	if (l->gone)
		return smtpd__targets_none(
		    never, "5.1.2", "There is no domain %s", l->shown);
	if (l->refused)
		return smtpd__targets_none(never, "5.4.4",
		    "No mail host of %s has an address that is not private",
		    l->shown);
	if (l->bad_mx[0] != '\0' && !l->exists)
		return smtpd__targets_none(never, "5.4.4",
		    "The MX of %s is %s, which is not the name of a host",
		    l->shown, l->bad_mx);
	if (l->mx && !l->exists)
		return smtpd__targets_none(never, "5.4.4",
		    "The mail hosts of %s do not exist", l->shown);
	return smtpd__targets_none(
	    never, "5.4.4", "No mail host of %s has an address", l->shown);
}

static struct smtpd_targets *
decide_result(struct lookup *l)
{
	smtpd__mx_limit(&l->found, l->r->max_addresses);
	if (l->no_memory)
		return NULL;
	if (l->found.count > 0)
		return smtpd__targets_found(l->hosts, l->nhosts, &l->found);
	if (l->cut && l->nhosts == 0)
		return smtpd__targets_none(SMTPD_RESOLVE_NEVER, "5.4.6",
		    "The mail of %s leads back to this host", l->shown);
	if (l->trouble != NULL)
		return say_later(l, l->trouble);
	if (l->cut)
		return smtpd__targets_none(SMTPD_RESOLVE_LATER, "4.4.4",
		    "No host that is preferred to this one for the mail of "
		    "%s has an address",
		    l->shown);
	return say_never(l);
}

/* RFC 7505, 3: a single MX that is the root. */
static bool
is_null_mx(const struct smtpd_dns_answer *answer)
{
	return answer->count == 1 && !answer->damaged &&
	    answer->records[0].host[0] == '\0';
}

/* Find the targets that the answer for MX leads to. */
static struct smtpd_targets *
resolve_mx(struct lookup *l, const struct smtpd_dns_answer *answer)
{
	l->mx = answer->status == SMTPD_DNS_FOUND;
	l->authenticated = answer->authenticated;
	if (answer->status == SMTPD_DNS_FAILED)
		return say_later(l, l->trouble);
	/* Some servers know of no MX, and deny the name, but know addresses. */
	l->gone = answer->status == SMTPD_DNS_NXDOMAIN;
	if (l->mx && is_null_mx(answer))
		return smtpd__targets_none(SMTPD_RESOLVE_NEVER, "5.1.10",
		    "%s does not accept mail (null MX)", l->shown);
	if (l->mx)
		list_hosts(l, answer);
	else
		list_domain(l);
	find_addresses(l);
	return decide_result(l);
}

static struct smtpd_targets *
resolve_host(struct lookup *l, const char *host)
{
	if (smtpd__hostname_normalise(host, l->name) != 0)
		return smtpd__targets_none(SMTPD_RESOLVE_NEVER, "5.1.2",
		    "%s is not the name of a host", l->shown);
	list_domain(l);
	find_addresses(l);
	return decide_result(l);
}

static struct smtpd_targets *
resolve_domain(struct lookup *l, const char *domain)
{
	struct smtpd_dns_answer *answer;
	struct smtpd_targets *t;

	if (smtpd__hostname_normalise(domain, l->name) != 0)
		return smtpd__targets_none(SMTPD_RESOLVE_NEVER, "5.1.2",
		    "%s is not the name of a domain", l->shown);
	answer = note_answer(l,
	    smtpd__fetch_answer(
		l->r, l->name, SMTPD_DNS_MX, l->deadline, l->cancel));
	if (answer == NULL)
		return NULL;
	t = resolve_mx(l, answer);
	free(answer);
	return t;
}

static struct smtpd_targets *
resolve_literal(struct lookup *l, const char *literal)
{
	struct smtpd_mx_address address = { 0 };
	const struct smtpd_mx_list list = { .at = &address, .count = 1 };

	if (smtpd__ip_parse_literal(literal, &address.ip) != 0)
		return smtpd__targets_none(SMTPD_RESOLVE_NEVER, "5.1.3",
		    "%s is not an address in brackets", l->shown);
	if (is_self(l->r, &address.ip))
		return smtpd__targets_none(
		    SMTPD_RESOLVE_NEVER, "5.4.6", "%s is this host", l->shown);
	if (is_refused(l->r, &address.ip))
		return smtpd__targets_none(SMTPD_RESOLVE_NEVER, "5.4.4",
		    "%s is a private address", l->shown);
	memcpy(l->hosts[0].name, literal, strlen(literal) + 1);
	return smtpd__targets_found(l->hosts, 1, &list);
}

/* Fill in what all results have in common.  A look-up that was cancelled has no
 * other result. */
static struct smtpd_targets *
complete_result(const struct lookup *l, struct smtpd_targets *t)
{
	if (t != NULL && smtpd_cancel_is_triggered(l->cancel)) {
		smtpd_targets_free(t);
		t = say_later(l, "the look-up was cancelled");
	}
	if (t == NULL)
		return NULL;
	t->mx = l->mx;
	t->authenticated = l->authenticated;
	t->answered = l->answered;
	t->unanswered =
	    t->outcome == SMTPD_RESOLVE_LATER && l->silent && !l->answered;
	t->ttl_s = t->outcome == SMTPD_RESOLVE_LATER ? 0 : l->ttl_s;
	return t;
}

typedef struct smtpd_targets *resolve_fn(struct lookup *l, const char *name);

static struct smtpd_targets *
look_up(struct smtpd_resolver *r, const char *name,
    const struct smtpd_cancel *cancel, resolve_fn *resolve)
{
	struct lookup *l = calloc(1, sizeof(*l));
	struct smtpd_targets *t;
	struct smtpd_text shown;

	if (l == NULL)
		return NULL;
	smtpd__text_init(&shown, l->shown, sizeof(l->shown));
	smtpd__text_filtered(&shown, name, strnlen(name, SMTPD_DNS_HOST_MAX));
	l->r = r;
	l->cancel = cancel;
	l->ttl_s = UINT32_MAX;
	l->deadline = smtpd__clock_after(smtpd__clock_ms(), r->total_ms);
	t = complete_result(l, resolve(l, name));
	free(l->found.at);
	free(l);
	return t;
}

struct smtpd_targets *
smtpd_resolve(struct smtpd_resolver *r, const char *domain,
    const struct smtpd_cancel *cancel)
{
	if (domain == NULL) {
		errno = EINVAL;
		return NULL;
	}
	return look_up(r, domain, cancel,
	    *domain == '[' ? resolve_literal : resolve_domain);
}

struct smtpd_targets *
smtpd__resolver_host(struct smtpd_resolver *r, const char *host,
    const struct smtpd_cancel *cancel)
{
	return look_up(r, host, cancel, resolve_host);
}
