/* SPDX-License-Identifier: MIT */
#include "schedule_naive.h"

#include <string.h>

#include "test.h"

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
one_at_least(uint32_t a)
{
	return a > 0 ? a : 1;
}

static void
reset_site(struct naive *n, int site)
{
	n->sites[site] =
	    (struct naive_site){ .limit = n->start_limit, .forgotten = true };
}

void
naive_begin(struct naive *n, const struct smtpd_schedule_settings *settings)
{
	memset(n, 0, sizeof(*n));
	n->settings = settings;
	n->site_limit = least(one_at_least(settings->site_connections),
	    one_at_least(settings->workers / 4));
	n->start_limit = least(2, n->site_limit);
	n->retry_limit = one_at_least(settings->workers / 2);
	n->stranger_limit = UINT32_MAX;
	if (settings->aside > settings->workers)
		n->stranger_limit = (settings->workers + settings->aside) / 2;
	for (int i = 0; i < NAIVE_SITES; i++)
		reset_site(n, i);
	for (int i = 0; i < NAIVE_DOMAINS; i++)
		n->domains[i].site = i;
}

/* A shared site has the name of a domain, too. */
const char *
naive_domain_name(int domain)
{
	static const char *const names[NAIVE_DOMAINS] = { "a", "b", "c", "d",
		"e", "f", "g", "h", "i", "j", "k", "l" };

	return names[domain];
}

const char *
naive_site_name(int site)
{
	return naive_domain_name(
	    site < NAIVE_DOMAINS ? site : site - NAIVE_DOMAINS);
}

static int
kind_of(const struct naive_job *j)
{
	return j->job->attempts > 0 ? RETRY : FRESH;
}

static bool
has_ready(const struct naive *n, int domain, int kind)
{
	for (int j = 0; j < NAIVE_JOBS; j++)
		if (n->jobs[j].job != NULL &&
		    n->jobs[j].state == SMTPD_JOB_READY &&
		    n->jobs[j].domain == domain && kind_of(&n->jobs[j]) == kind)
			return true;
	return false;
}

static bool
site_has_ready(const struct naive *n, int site, int kind)
{
	for (int d = 0; d < NAIVE_DOMAINS; d++)
		if (n->domains[d].site == site && has_ready(n, d, kind))
			return true;
	return false;
}

bool
naive_has_room(const struct naive *n, int site)
{
	const struct naive_site *s = &n->sites[site];

	return s->resumes_at == 0 && s->connections < s->limit;
}

static uint32_t
count_jobs(const struct naive *n, int domain)
{
	uint32_t count = 0;

	for (int j = 0; j < NAIVE_JOBS; j++)
		count += n->jobs[j].job != NULL && n->jobs[j].domain == domain;
	return count;
}

static uint32_t
count_retries(const struct naive *n)
{
	uint32_t count = 0;

	for (int j = 0; j < NAIVE_JOBS; j++)
		count += n->jobs[j].job != NULL && n->jobs[j].counted;
	return count;
}

/* A site that nobody uses is forgotten, but for when it resumes. */
static void
forget_own(struct naive *n, int d)
{
	struct naive_site *own = &n->sites[d];
	bool in_use = count_jobs(n, d) > 0;

	if (!in_use)
		n->domains[d].site = d;
	if (own->connections > 0)
		return;
	if (n->domains[d].site == d && (in_use || own->resumes_at != 0))
		return;
	reset_site(n, d);
}

static void
forget_shared(struct naive *n, int site)
{
	if (n->sites[site].connections > 0 || n->sites[site].resumes_at != 0)
		return;
	for (int d = 0; d < NAIVE_DOMAINS; d++)
		if (n->domains[d].site == site)
			return;
	reset_site(n, site);
}

static void
settle_site(struct naive *n, int site)
{
	struct naive_site *s = &n->sites[site];
	bool fresh = site_has_ready(n, site, FRESH);
	bool now[KINDS];

	now[0] = naive_has_room(n, site) &&
	    (fresh || site_has_ready(n, site, RETRY));
	now[1] = naive_has_room(n, site) && fresh;
	for (int i = 0; i < KINDS; i++) {
		if (now[i] && !s->has[i])
			s->order[i] = n->last;
		s->has[i] = now[i];
	}
}

void
naive_update(struct naive *n)
{
	n->last++;
	for (int d = 0; d < NAIVE_DOMAINS; d++)
		forget_own(n, d);
	for (int s = NAIVE_DOMAINS; s < NAIVE_SITES; s++)
		forget_shared(n, s);
	for (int d = 0; d < NAIVE_DOMAINS; d++)
		for (int kind = 0; kind < KINDS; kind++)
			n->domains[d].has[kind] = has_ready(n, d, kind);
	for (int s = 0; s < NAIVE_SITES; s++)
		settle_site(n, s);
	n->last++;
}

static void
make_ready(struct naive *n, int j, int64_t order, int64_t domain_order)
{
	struct naive_domain *d = &n->domains[n->jobs[j].domain];
	int kind = kind_of(&n->jobs[j]);

	n->jobs[j].state = SMTPD_JOB_READY;
	n->jobs[j].counted = false;
	n->jobs[j].order = order;
	if (!d->has[kind] || order < 0)
		d->order[kind] = domain_order;
	d->has[kind] = true;
}

void
naive_append(struct naive *n, int j)
{
	n->last++;
	make_ready(n, j, n->last, n->last);
}

void
naive_prepend(struct naive *n, int j)
{
	n->first--;
	make_ready(n, j, n->first, n->first);
}

void
naive_hasten(struct naive *n, int j, uint32_t now)
{
	struct naive_site *s = &n->sites[n->domains[n->jobs[j].domain].site];
	uint32_t probe = s->suspended_at + n->settings->retry.min;

	if (n->jobs[j].job->attempts == 0 && s->resumes_at > probe)
		s->resumes_at = probe <= now ? 0 : probe;
}

void
naive_advance(struct naive *n, uint32_t now)
{
	uint32_t due;

	for (int s = 0; s < NAIVE_SITES; s++)
		if (n->sites[s].resumes_at <= now)
			n->sites[s].resumes_at = 0;
	do {
		due = SMTPD_TIME_NONE;
		for (int j = 0; j < NAIVE_JOBS; j++)
			if (n->jobs[j].job != NULL &&
			    n->jobs[j].state == SMTPD_JOB_LATER)
				due = least(due, n->jobs[j].job->due);
		n->last++;
		for (int j = 0; due <= now && j < NAIVE_JOBS; j++)
			if (n->jobs[j].job != NULL &&
			    n->jobs[j].state == SMTPD_JOB_LATER &&
			    n->jobs[j].job->due == due)
				make_ready(n, j, n->last, n->last);
	} while (due <= now);
}

/* Whether a known site, or a stranger, has that turn and may be served. */
static bool
has_turn(const struct naive *n, int turn, bool known)
{
	uint32_t strangers = 0;
	bool has = false;

	for (int s = 0; s < NAIVE_SITES; s++) {
		strangers += n->sites[s].known ? 0 : n->sites[s].connections;
		has = has ||
		    (n->sites[s].has[turn] && n->sites[s].known == known);
	}
	return has && (known || strangers < n->stranger_limit);
}

/* Whether a site that was never asked has that turn. */
static bool
has_new(const struct naive *n, int turn)
{
	for (int s = 0; s < NAIVE_SITES; s++)
		if (n->sites[s].has[turn] && !n->sites[s].known &&
		    !n->sites[s].asked)
			return true;
	return false;
}

/* Which of the turns counts now. */
static int
present_turn(const struct naive *n)
{
	return count_retries(n) >= n->retry_limit &&
	    (has_turn(n, 1, true) || has_turn(n, 1, false));
}

bool
naive_may_serve(const struct naive *n, int site)
{
	int turn = present_turn(n);
	const struct naive_site *this = &n->sites[site];
	bool either = n->aside == 0 && has_turn(n, turn, false);
	bool known = has_turn(n, turn, true) &&
	    !(n->served_known && has_turn(n, turn, false));
	bool newest =
	    !known && n->aside > 0 && !n->served_newest && has_new(n, turn);

	if (!this->has[turn] || (!either && this->known != known) ||
	    (newest && this->asked))
		return false;
	for (int s = 0; s < NAIVE_SITES; s++)
		if (n->sites[s].has[turn] &&
		    (either || n->sites[s].known == known) &&
		    !(newest && n->sites[s].asked) &&
		    (newest ? n->sites[s].order[turn] > this->order[turn]
			    : n->sites[s].order[turn] < this->order[turn]))
			return false;
	return true;
}

bool
naive_needs_worker(const struct naive *n)
{
	return has_turn(n, 0, true) || has_turn(n, 0, false);
}

int
naive_kind(struct naive *n, int site)
{
	struct naive_site *s = &n->sites[site];
	bool fresh = site_has_ready(n, site, FRESH);
	bool retry = site_has_ready(n, site, RETRY);

	if (count_retries(n) >= n->retry_limit &&
	    (fresh || present_turn(n) == 1))
		retry = false;
	if (!fresh && !retry)
		return -1;
	if (!retry)
		return FRESH;
	if (!fresh || s->streak == 3) {
		s->streak = 0;
		return RETRY;
	}
	s->streak++;
	return FRESH;
}

bool
naive_may_take(const struct naive *n, int j, int site, int kind)
{
	const struct naive_job *job = &n->jobs[j];
	const struct naive_domain *domain = &n->domains[job->domain];

	if (job->state != SMTPD_JOB_READY || domain->site != site ||
	    kind_of(job) != kind)
		return false;
	for (int i = 0; i < NAIVE_JOBS; i++) {
		const struct naive_job *other = &n->jobs[i];
		const struct naive_domain *d = &n->domains[other->domain];

		if (other->job == NULL || other->state != SMTPD_JOB_READY ||
		    kind_of(other) != kind || d->site != site)
			continue;
		if (d->order[kind] < domain->order[kind])
			return false;
		if (d == domain && other->order < job->order)
			return false;
	}
	return true;
}

void
naive_take(struct naive *n, int j)
{
	struct naive_job *job = &n->jobs[j];

	job->state = SMTPD_JOB_ACTIVE;
	job->counted = kind_of(job) == RETRY;
	n->last++;
	n->domains[job->domain].order[kind_of(job)] = n->last;
}

void
naive_served(struct naive *n, int site)
{
	struct naive_site *s = &n->sites[site];

	n->busy++;
	n->served_known = s->known;
	if (!s->known)
		n->served_newest = !n->served_newest;
	s->connections++;
	s->probing = true;
	s->asked = true;
	n->last++;
	s->order[0] = s->order[1] = n->last;
}

static void
close_site(
    struct naive *n, struct naive_site *s, uint32_t now, uint32_t resumes_at)
{
	uint32_t wait = n->settings->retry.min;

	for (uint32_t i = 0; i < s->failures && wait < n->settings->retry.max;
	    i++)
		wait *= 2;
	wait = least(wait, n->settings->retry.max);
	assert_in_range(resumes_at - now, wait - wait / 10, wait + wait / 10);
	s->failures++;
	s->successes = 0;
	s->limit = 1;
	s->resumes_at = resumes_at;
	s->suspended_at = now;
	s->probing = false;
}

void
naive_report(struct naive *n, int site, enum smtpd_site_feedback feedback,
    uint32_t now, uint32_t resumes_at)
{
	struct naive_site *s = &n->sites[site];
	bool stale = s->resumes_at != 0 || (s->failures > 0 && !s->probing);
	bool known = s->known;

	if (feedback == SMTPD_SITE_FINE)
		known = true;
	else if (feedback == SMTPD_SITE_SLOW ||
	    (feedback == SMTPD_SITE_DOWN && !stale))
		known = false;
	if (feedback == SMTPD_SITE_SLOW)
		feedback = SMTPD_SITE_FINE;

	if (feedback == SMTPD_SITE_FINE && s->failures > 0) {
		uint32_t connections = s->connections;
		bool probing = s->probing;
		int streak = s->streak;

		reset_site(n, site);
		s->forgotten = false;
		s->connections = connections;
		s->probing = probing;
		s->streak = streak;
		s->asked = true;
	} else if (feedback == SMTPD_SITE_FINE) {
		if (++s->successes >= s->limit) {
			s->limit = least(s->limit + 1, n->site_limit);
			s->successes = 0;
		}
	} else if (!stale && feedback == SMTPD_SITE_BUSY && s->limit > 1) {
		s->limit--;
		s->successes = 0;
	} else if (!stale) {
		close_site(n, s, now, resumes_at);
	}
	/* It becomes the last one of the others. */
	if (known != s->known)
		s->has[0] = s->has[1] = false;
	s->known = known;
	assert_int_equal(resumes_at, s->resumes_at != 0 ? s->resumes_at : now);
}

void
naive_move(struct naive *n, int domain, int site)
{
	struct naive_domain *d = &n->domains[domain];

	if (n->sites[site].known)
		n->sites[domain].known = true;
	if (n->sites[site].forgotten)
		n->sites[domain].forgotten = true;
	if (d->site == site)
		return;
	d->site = site;
	n->last++;
	d->order[FRESH] = d->order[RETRY] = n->last;
}

bool
naive_is_overdue(const struct naive *n, int j, uint32_t now)
{
	const struct smtpd_delivery_job *job = n->jobs[j].job;
	const struct naive_site *s =
	    &n->sites[n->domains[n->jobs[j].domain].site];
	bool bounce = (job->message->flags & SMTPD_MESSAGE_NULL_SENDER) != 0;
	uint32_t end = job->message->arrived +
	    (bounce ? n->settings->retry.bounce_lifetime
		    : n->settings->retry.lifetime);

	if (s->resumes_at == 0 && s->connections < s->limit)
		return false;
	if (now >= end)
		return s->failures > 0 || now >= end + n->settings->retry.max;
	return !bounce && !job->delay_notice_sent &&
	    now >= job->message->arrived + n->settings->retry.delay_notice;
}
