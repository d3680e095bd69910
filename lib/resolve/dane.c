/* SPDX-License-Identifier: MIT */
#include "resolve/dane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "resolve/fetch.h"
#include "resolve/hostname.h"
#include "resolve/pair.h"
#include "resolve/tlsa_records.h"

/* All questions about one host. */
#define TOTAL_MS 20000

/* One look-up under way. */
struct search {
	struct smtpd_resolver *r;
	const char *host;
	uint16_t port;
	uint64_t deadline;
	const struct smtpd_cancel *cancel;
	struct smtpd_dane *out;
	bool no_memory;
};

static enum smtpd_dane_state
read_state(const struct smtpd_dns_answer *answer)
{
	if (answer->status == SMTPD_DNS_FAILED)
		return SMTPD_DANE_FAILED;
	return answer->authenticated ? SMTPD_DANE_SECURE : SMTPD_DANE_INSECURE;
}

/* The host is not to be used: WHAT could not be looked up, as the failed ANSWER
 * for TYPE of NAME says. */
static enum smtpd_dane_state
note_failure(struct search *s, const char *what, const char *name,
    enum smtpd_dns_type type, const struct smtpd_dns_answer *answer)
{
	struct smtpd_text t;

	s->out->bogus = !answer->silent &&
	    smtpd__dns_is_bogus(s->r->dns, name, type, s->deadline, s->cancel);
	smtpd__text_init(&t, s->out->reason, sizeof(s->out->reason));
	smtpd__text_format(&t, "the %s of %s cannot be looked up: %s", what,
	    s->host,
	    s->out->bogus ? "its signatures (DNSSEC) are wrong"
			  : answer->reason);
	return s->out->bogus ? SMTPD_DANE_BOGUS : SMTPD_DANE_FAILED;
}

static void
shorten_ttl(struct search *s, const struct smtpd_dns_answer *answer)
{
	if (answer->ttl_s < s->out->ttl_s)
		s->out->ttl_s = answer->ttl_s;
}

/* Whether the answer says so securely; where addresses were FOUND, the absence
 * of others says nothing. */
static bool
is_secure(const struct smtpd_dns_answer *answer, bool found)
{
	return read_state(answer) == SMTPD_DANE_SECURE &&
	    (answer->status == SMTPD_DNS_FOUND || !found);
}

/* The state of both kinds of addresses: one that is secure suffices. */
static enum smtpd_dane_state
read_addresses(struct search *s, const struct smtpd_pair *p, bool *is_alias)
{
	const enum smtpd_dane_state six = read_state(p->six);
	const enum smtpd_dane_state four = read_state(p->four);
	const bool found = p->six->status == SMTPD_DNS_FOUND ||
	    p->four->status == SMTPD_DNS_FOUND;

	*is_alias = p->six->alias || p->four->alias;
	if (!found && four == SMTPD_DANE_FAILED)
		return note_failure(
		    s, "addresses", s->host, SMTPD_DNS_A, p->four);
	if (!found && six == SMTPD_DANE_FAILED)
		return note_failure(
		    s, "addresses", s->host, SMTPD_DNS_AAAA, p->six);
	if (six != SMTPD_DANE_FAILED)
		shorten_ttl(s, p->six);
	if (four != SMTPD_DANE_FAILED)
		shorten_ttl(s, p->four);
	return is_secure(p->six, found) || is_secure(p->four, found)
	    ? SMTPD_DANE_SECURE
	    : SMTPD_DANE_INSECURE;
}

static enum smtpd_dane_state
find_host(struct search *s, bool *is_alias)
{
	enum smtpd_dane_state state = SMTPD_DANE_FAILED;
	struct smtpd_pair p;

	smtpd__pair_get(
	    s->r->dns, s->r->cache, s->host, s->deadline, s->cancel, &p);
	*is_alias = false;
	if (p.six != NULL && p.four != NULL)
		state = read_addresses(s, &p, is_alias);
	else
		s->no_memory = true;
	free(p.six);
	free(p.four);
	return state;
}

static struct smtpd_dns_answer *
ask_type(struct search *s, const char *name, enum smtpd_dns_type type)
{
	struct smtpd_dns_answer *answer =
	    smtpd__fetch_answer(s->r, name, type, s->deadline, s->cancel);

	if (answer == NULL)
		s->no_memory = true;
	else if (answer->status != SMTPD_DNS_FAILED)
		shorten_ttl(s, answer);
	return answer;
}

/* The state of the alias that NAME is, and in NEXT where it leads; "": it is
 * none. */
static enum smtpd_dane_state
follow_alias(struct search *s, const char *name, char *next)
{
	struct smtpd_dns_answer *answer = ask_type(s, name, SMTPD_DNS_CNAME);
	enum smtpd_dane_state state = SMTPD_DANE_FAILED;

	next[0] = '\0';
	if (answer == NULL)
		return state;
	state = read_state(answer);
	if (state == SMTPD_DANE_FAILED)
		state = note_failure(s, "alias", name, SMTPD_DNS_CNAME, answer);
	else if (answer->count > 0 &&
	    smtpd__hostname_normalise(answer->records[0].host, next) == -1)
		next[0] = '\0';
	free(answer);
	return state;
}

/* Write to END where the aliases of the host lead, which are all secure; the
 * host itself if that cannot be found out. */
static void
find_end(struct search *s, char *end)
{
	char next[SMTPD_DNS_HOST_MAX];
	struct smtpd_text t;

	smtpd__text_init(&t, end, SMTPD_DNS_HOST_MAX);
	smtpd__text_add(&t, s->host);
	for (int i = 0; i < SMTPD_DNS_ALIASES_MAX; i++) {
		if (follow_alias(s, end, next) != SMTPD_DANE_SECURE ||
		    next[0] == '\0')
			return;
		memcpy(end, next, sizeof(next));
	}
}

/* Ask for the records at BASE.  Return what is demanded. */
static enum smtpd_dane_demand
ask_records(struct search *s, const char *base)
{
	char name[SMTPD_DNS_HOST_MAX];
	struct smtpd_dns_answer *answer;
	enum smtpd_dane_state state;
	enum smtpd_dane_demand demand;

	/* Nothing can be there. */
	if (smtpd__tlsa_records_name(base, s->port, name, sizeof(name)) == -1)
		return SMTPD_DANE_NOTHING;
	answer = ask_type(s, name, SMTPD_DNS_TLSA);
	if (answer == NULL)
		return SMTPD_DANE_LATER;
	state = read_state(answer);
	if (state == SMTPD_DANE_FAILED)
		state = note_failure(
		    s, "TLSA records", name, SMTPD_DNS_TLSA, answer);
	demand = smtpd__dane_rules_demand(state, answer->count > 0);
	if (demand == SMTPD_DANE_RECORDS) {
		s->out->set = smtpd__tlsa_records_read(answer);
		s->no_memory = s->out->set == NULL;
		memcpy(s->out->base, base, strlen(base) + 1);
	}
	free(answer);
	return demand;
}

/* Ask for the records where they may be. */
static enum smtpd_dane_demand
search_place(struct search *s, enum smtpd_dane_place place)
{
	enum smtpd_dane_demand demand;
	char end[SMTPD_DNS_HOST_MAX];

	switch (place) {
	case SMTPD_DANE_NOWHERE:
		return SMTPD_DANE_NOTHING;
	case SMTPD_DANE_NOT_NOW:
		return SMTPD_DANE_LATER;
	case SMTPD_DANE_AT_NAME:
		return ask_records(s, s->host);
	case SMTPD_DANE_AT_END:
		break;
	}
	find_end(s, end);
	demand = ask_records(s, end);
	if (demand == SMTPD_DANE_NOTHING && strcmp(end, s->host) != 0)
		demand = ask_records(s, s->host);
	return demand;
}

int
smtpd__dane_find(struct smtpd_resolver *r, const char *host, uint16_t port,
    const struct smtpd_cancel *cancel, struct smtpd_dane *out)
{
	struct search s = {
		.r = r,
		.host = host,
		.port = port,
		.deadline = smtpd__clock_after(smtpd__clock_ms(),
		    r->total_ms < TOTAL_MS ? r->total_ms : TOTAL_MS),
		.cancel = cancel,
		.out = out,
	};
	enum smtpd_dane_state state, alias = SMTPD_DANE_INSECURE;
	char next[SMTPD_DNS_HOST_MAX];
	bool is_alias;

	*out = (struct smtpd_dane){ .ttl_s = UINT32_MAX };
	state = find_host(&s, &is_alias);
	if (is_alias && state == SMTPD_DANE_INSECURE)
		alias = follow_alias(&s, host, next);
	out->demand =
	    search_place(&s, smtpd__dane_rules_place(state, is_alias, alias));
	if (out->demand == SMTPD_DANE_LATER)
		out->ttl_s = 0;
	if (!s.no_memory)
		return 0;
	free(out->set);
	out->set = NULL;
	return -1;
}

/* An answer with what it points to. */
struct kept_answer {
	struct smtpd_dane_answer answer; /* first, as it is what is freed */
	struct smtpd_dane found;
	char host[SMTPD_DNS_HOST_MAX];
};

struct smtpd_dane_answer *
smtpd_resolve_dane(struct smtpd_resolver *r, const char *host, uint16_t port,
    const struct smtpd_cancel *cancel)
{
	struct kept_answer *kept = calloc(1, sizeof(*kept));

	if (kept == NULL)
		return NULL;
	errno = EINVAL;
	if (host == NULL || smtpd__hostname_normalise(host, kept->host) == -1)
		goto fail;
	errno = ENOMEM;
	if (smtpd__dane_find(r, kept->host, port, cancel, &kept->found) == -1)
		goto fail;
	kept->answer = (struct smtpd_dane_answer){
		.demand = kept->found.demand,
		.host = kept->host,
		.base = kept->found.base,
		.records = kept->found.set,
		.reason = kept->found.demand == SMTPD_DANE_LATER
		    ? kept->found.reason
		    : "",
		.ttl_s = kept->found.ttl_s,
	};
	return &kept->answer;
fail:
	free(kept);
	return NULL;
}

void
smtpd_dane_answer_free(struct smtpd_dane_answer *answer)
{
	struct kept_answer *kept = (struct kept_answer *)answer;

	if (kept == NULL)
		return;
	free(kept->found.set);
	free(kept);
}
