/* SPDX-License-Identifier: MIT */

#include <stdbool.h>
#include <stdlib.h>

#include "queue/schedule/state.h"
#include "schedule_fixture.h"
#include "schedule_naive.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

enum {
	CONNECTIONS_MAX = 128
};

/* A connection, and the job that is tried over it, or -1. */
struct connection {
	struct smtpd_site *real;
	int site;
	int job;
	bool aside;
};

struct game {
	struct world w;
	struct naive n;
	struct connection connections[CONNECTIONS_MAX];
	int nconnections;
};

static int
below(int n)
{
	return rand() % n;
}

static int
find_job(const struct game *g, const struct smtpd_delivery_job *job)
{
	for (int j = 0; j < NAIVE_JOBS; j++)
		if (g->n.jobs[j].job == job)
			return j;
	fail();
	return -1;
}

/* Some job in STATE; -1: none was found. */
static int
some_job(const struct game *g, enum smtpd_job_state state)
{
	for (int i = 0; i < 50; i++) {
		int j = below(NAIVE_JOBS);

		if (g->n.jobs[j].job != NULL && g->n.jobs[j].state == state)
			return j;
	}
	return -1;
}

/* Some connection that has a job, or has none; NULL: none was found. */
static struct connection *
some_connection(struct game *g, bool has_job)
{
	for (int i = 0; i < 20 && g->nconnections > 0; i++) {
		struct connection *c = &g->connections[below(g->nconnections)];

		if ((c->job >= 0) == has_job)
			return c;
	}
	return NULL;
}

static void
drop_connection(struct game *g, struct connection *c)
{
	*c = g->connections[--g->nconnections];
	g->n.busy--;
}

/* Whether both see the same, everywhere. */
static void
compare(struct game *g)
{
	naive_update(&g->n);
	for (int j = 0; j < NAIVE_JOBS; j++) {
		const struct naive_job *nj = &g->n.jobs[j];
		struct naive_site *s;
		struct smtpd_site_info f;
		bool known;

		if (nj->job == NULL)
			continue;
		known = smtpd__destination_site(nj->job->destination)->known;
		s = &g->n.sites[g->n.domains[nj->domain].site];
		f = world_site_info(nj->job);
		assert_int_equal(nj->job->state, nj->state);
		assert_string_equal(
		    f.name, naive_site_name(g->n.domains[nj->domain].site));
		/* One that was freed may be known later, or not. */
		if (s->forgotten)
			s->known = known;
		s->forgotten = false;
		assert_int_equal(known, s->known);
		assert_int_equal(f.connections, s->connections);
		assert_int_equal(f.limit, s->limit);
		assert_int_equal(f.failures, s->failures);
		assert_int_equal(f.resumes_at, s->resumes_at);
	}
	assert_int_equal(g->w.schedule->busy, g->n.busy);
	assert_int_equal(g->w.schedule->aside, g->n.aside);
	world_check(&g->w);
}

static void
make_job(struct game *g)
{
	int j = below(NAIVE_JOBS), domain = below(NAIVE_DOMAINS);
	unsigned flags = below(4) == 0 ? SMTPD_MESSAGE_NULL_SENDER : 0;

	if (g->n.jobs[j].job != NULL)
		return;
	g->n.jobs[j] = (struct naive_job){
		.job = world_make(&g->w, naive_domain_name(domain), flags),
		.domain = domain,
	};
	g->n.jobs[j].job->attempts = (uint16_t)below(2);
	if (below(2) == 0)
		g->n.jobs[j].job->due += (uint32_t)below(60);
}

static void
insert(struct game *g, int j)
{
	struct naive_job *nj = &g->n.jobs[j];
	bool is_new = nj->state == SMTPD_JOB_OUT;

	assert_int_equal(
	    smtpd__schedule_insert(g->w.schedule, nj->job, g->w.now), 0);
	nj->counted = false;
	if (nj->job->due <= g->w.now) {
		naive_append(&g->n, j);
		if (is_new)
			naive_hasten(&g->n, j, g->w.now);
	} else
		nj->state = SMTPD_JOB_LATER;
}

static void
insert_some(struct game *g)
{
	int j = some_job(g, SMTPD_JOB_OUT);

	if (j >= 0)
		insert(g, j);
}

static void
withdraw_some(struct game *g)
{
	int j = some_job(g, (enum smtpd_job_state)below(4));

	if (j < 0)
		return;
	smtpd__schedule_withdraw(g->w.schedule, g->n.jobs[j].job);
	if (g->n.jobs[j].state != SMTPD_JOB_ACTIVE)
		g->n.jobs[j].state = SMTPD_JOB_OUT;
}

static void
finish(struct game *g, int j)
{
	world_finish(&g->w, g->n.jobs[j].job);
	g->n.jobs[j].job = NULL;
}

static void
finish_some(struct game *g)
{
	int j = some_job(g, (enum smtpd_job_state)below(SMTPD_JOB_ACTIVE));

	if (j >= 0)
		finish(g, j);
}

static void
flush_some(struct game *g)
{
	int j = some_job(g, (enum smtpd_job_state)below(4));
	struct naive_job *nj;

	if (j < 0 || below(4) != 0)
		return;
	nj = &g->n.jobs[j];
	smtpd__schedule_flush(g->w.schedule, nj->job, g->w.now);
	if (nj->state == SMTPD_JOB_LATER)
		naive_append(&g->n, j);
	if (nj->state == SMTPD_JOB_READY)
		g->n.sites[g->n.domains[nj->domain].site].resumes_at = 0;
}

static void
let_time_pass(struct game *g)
{
	switch (below(3)) {
	case 0:
		g->w.now += (uint32_t)below(3);
		break;
	case 1:
		g->w.now += (uint32_t)below(30);
		break;
	default:
		if (below(4) == 0 &&
		    smtpd__schedule_next_time(g->w.schedule, g->w.now) !=
			SMTPD_TIME_NONE)
			g->w.now =
			    smtpd__schedule_next_time(g->w.schedule, g->w.now);
	}
	naive_advance(&g->n, g->w.now);
	naive_update(&g->n);
	assert_int_equal(smtpd__schedule_needs_worker(g->w.schedule, g->w.now),
	    naive_needs_worker(&g->n));
}

static void
take(struct game *g)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job =
	    smtpd__schedule_take(g->w.schedule, g->w.now, &site);
	int s, j;

	if (job == NULL) {
		assert_true(!naive_needs_worker(&g->n) ||
		    g->n.busy >= g->w.settings.workers);
		return;
	}
	assert_true(g->n.busy < g->w.settings.workers);
	j = find_job(g, job);
	s = g->n.domains[g->n.jobs[j].domain].site;
	assert_ptr_equal(site, smtpd__destination_site(job->destination));
	assert_true(naive_may_serve(&g->n, s));
	assert_true(naive_may_take(&g->n, j, s, naive_kind(&g->n, s)));
	naive_take(&g->n, j);
	naive_served(&g->n, s);
	g->connections[g->nconnections++] = (struct connection){
		.real = site,
		.site = s,
		.job = j,
	};
}

/* A connection with a job waits for its host. */
static void
set_aside(struct game *g)
{
	struct connection *c = some_connection(g, true);
	int site;

	if (c == NULL || c->aside)
		return;
	c->aside =
	    smtpd__schedule_set_aside(g->w.schedule, g->n.jobs[c->job].job);
	assert_int_equal(c->aside, g->n.aside < g->w.settings.aside);
	if (!c->aside)
		return;
	g->n.busy--;
	g->n.aside++;
	g->n.jobs[c->job].counted = false;
	site = g->n.domains[g->n.jobs[c->job].domain].site;
	if (!g->n.sites[site].known)
		g->n.sites[site].limit = 1;
}

/* It waits no more. */
static void
rejoin(struct game *g, struct connection *c)
{
	if (!c->aside)
		return;
	smtpd__schedule_rejoin(g->w.schedule);
	g->n.busy++;
	g->n.aside--;
	c->aside = false;
}

static void
take_more(struct game *g)
{
	struct connection *c = some_connection(g, false);
	const struct naive_site *s;
	struct smtpd_delivery_job *job;
	int kind = -1;

	if (c == NULL)
		return;
	s = &g->n.sites[c->site];
	job = smtpd__schedule_take_more(g->w.schedule, g->w.now, c->real);
	if (s->resumes_at == 0 && s->connections <= s->limit)
		kind = naive_kind(&g->n, c->site);
	assert_int_equal(job == NULL, kind == -1);
	if (job == NULL)
		return;
	c->job = find_job(g, job);
	assert_true(naive_may_take(&g->n, c->job, c->site, kind));
	naive_take(&g->n, c->job);
	g->n.sites[c->site].probing = true;
}

static void
put_back(struct game *g, int j)
{
	smtpd__schedule_put_back(g->w.schedule, g->n.jobs[j].job, g->w.now);
	naive_prepend(&g->n, j);
	naive_hasten(&g->n, j, g->w.now);
}

static void
bind_some(struct game *g)
{
	struct connection *c = some_connection(g, true);
	int domain, to;
	bool own = below(4) == 0, may;

	if (c == NULL)
		return;
	rejoin(g, c);
	domain = g->n.jobs[c->job].domain;
	to = own ? domain : NAIVE_DOMAINS + below(NAIVE_SHARED);
	naive_move(&g->n, domain, to);
	may = to == c->site ? g->n.sites[to].resumes_at == 0
			    : naive_has_room(&g->n, to);
	assert_int_equal(
	    smtpd__destination_bind(g->w.schedule,
		g->n.jobs[c->job].job->destination,
		own ? NULL : naive_site_name(to), g->w.now, &c->real),
	    may);
	if (may && to == c->site)
		return;
	g->n.sites[c->site].connections--;
	if (!may) {
		assert_null(c->real);
		naive_update(&g->n);
		put_back(g, c->job);
		drop_connection(g, c);
		return;
	}
	g->n.sites[to].connections++;
	g->n.sites[to].probing = true;
	/* It becomes the last one of the strangers that were asked. */
	if (!g->n.sites[to].asked && !g->n.sites[to].known)
		g->n.sites[to].has[0] = g->n.sites[to].has[1] = false;
	g->n.sites[to].asked = true;
	c->site = to;
}

static void
report(struct game *g)
{
	struct connection *c = some_connection(g, below(4) != 0);
	int what = below(6);
	enum smtpd_site_feedback feedback = what == 0 ? SMTPD_SITE_DOWN
	    : what == 1                               ? SMTPD_SITE_BUSY
	    : what == 2                               ? SMTPD_SITE_SLOW
						      : SMTPD_SITE_FINE;

	if (c == NULL)
		return;
	naive_report(&g->n, c->site, feedback, g->w.now,
	    smtpd__site_feedback_report(
		g->w.schedule, c->real, feedback, NULL, g->w.now)
		.resumes_at);
}

/* An attempt ends, one way or the other. */
static void
end_job(struct game *g)
{
	struct connection *c = some_connection(g, true);
	struct naive_job *nj;

	if (c == NULL)
		return;
	rejoin(g, c);
	nj = &g->n.jobs[c->job];
	switch (below(4)) {
	case 0:
		finish(g, c->job);
		break;
	case 1:
		put_back(g, c->job);
		break;
	case 2:
		smtpd__schedule_retire(g->w.schedule, nj->job);
		nj->state = SMTPD_JOB_OUT;
		nj->counted = false;
		break;
	default:
		world_retry_later(&g->w, nj->job);
		insert(g, c->job);
	}
	c->job = -1;
}

static void
leave(struct game *g)
{
	struct connection *c = some_connection(g, false);

	if (c == NULL)
		return;
	smtpd__schedule_leave(g->w.schedule, c->real, g->w.now);
	g->n.sites[c->site].connections--;
	drop_connection(g, c);
}

/* What was looked at a moment ago, and could have been tried then, may wait
 * for a little while. */
static void
assert_nothing_overdue(const struct game *g)
{
	for (int j = 0; j < NAIVE_JOBS; j++) {
		const struct smtpd_delivery_job *job = g->n.jobs[j].job;

		if (job == NULL || job->state != SMTPD_JOB_READY ||
		    !naive_is_overdue(&g->n, j, g->w.now))
			continue;
		assert_true(job->limited);
		assert_in_range(job->timer.when, g->w.now + 1,
		    g->w.now + g->w.settings.retry.min);
	}
}

static void
overdue(struct game *g)
{
	struct smtpd_delivery_job *job =
	    smtpd__schedule_overdue(g->w.schedule, g->w.now);
	struct smtpd_retry r;
	int j;

	if (job == NULL) {
		assert_nothing_overdue(g);
		return;
	}
	j = find_job(g, job);
	assert_int_equal(g->n.jobs[j].state, SMTPD_JOB_READY);
	assert_true(naive_is_overdue(&g->n, j, g->w.now));
	g->n.jobs[j].state = SMTPD_JOB_ACTIVE;
	naive_update(&g->n);
	r = world_decide(&g->w, job, false);
	if (r.expired) {
		finish(g, j);
		return;
	}
	assert_true(r.wants_delay_notice);
	job->delay_notice_sent = true;
	insert(g, j);
}

static void
wake(struct game *g)
{
	uint32_t wake = smtpd__schedule_next_time(g->w.schedule, g->w.now);
	uint32_t first = SMTPD_TIME_NONE;

	for (int s = 0; s < NAIVE_SITES; s++)
		if (g->n.sites[s].resumes_at != 0 &&
		    g->n.sites[s].resumes_at < first)
			first = g->n.sites[s].resumes_at;
	for (int j = 0; j < NAIVE_JOBS; j++) {
		const struct smtpd_delivery_job *job = g->n.jobs[j].job;

		if (job != NULL && g->n.jobs[j].state == SMTPD_JOB_LATER &&
		    job->due < first)
			first = job->due;
		if (job != NULL && g->n.jobs[j].state == SMTPD_JOB_READY &&
		    job->limited && job->timer.when < first)
			first = job->timer.when;
	}
	if (first < g->w.now ||
	    (naive_needs_worker(&g->n) && g->n.busy < g->w.settings.workers))
		first = g->w.now;
	assert_int_equal(wake, first);
}

static void
clear(struct game *g)
{
	while (g->nconnections > 0) {
		struct connection *c = &g->connections[0];

		rejoin(g, c);
		if (c->job >= 0)
			finish(g, c->job);
		smtpd__schedule_leave(g->w.schedule, c->real, g->w.now);
		drop_connection(g, c);
	}
	world_end(&g->w);
}

static void
play(const struct smtpd_schedule_settings *settings, unsigned seed, int steps)
{
	static void (*const moves[])(struct game *) = { make_job, make_job,
		make_job, insert_some, insert_some, insert_some, withdraw_some,
		finish_some, flush_some, let_time_pass, let_time_pass, take,
		take, take, take, set_aside, take_more, take_more, bind_some,
		bind_some, report, report, report, end_job, end_job, leave,
		leave, overdue, wake };
	struct game g = { .nconnections = 0 };

	srand(seed);
	world_begin(&g.w, settings, 1000);
	naive_begin(&g.n, &g.w.settings);
	for (int i = 0; i < steps; i++) {
		moves[below((int)LENGTH(moves))](&g);
		compare(&g);
	}
	clear(&g);
}

static void
it_does_what_a_simple_one_does(void **state)
{
	static const struct {
		uint32_t workers;
		uint32_t site_connections;
		uint32_t aside;
	} cases[] = { { 1, 1, 0 }, { 2, 10, 10 }, { 8, 2, 4 }, { 12, 3, 16 },
		{ 40, 10, 80 }, { 1, 1, 16 }, { 3, 2, 5 } };

	(void)state;
	for (unsigned seed = 0; seed < 20; seed++) {
		struct smtpd_schedule_settings settings = {
			.workers = cases[seed % LENGTH(cases)].workers,
			.aside = cases[seed % LENGTH(cases)].aside,
			.site_connections =
			    cases[seed % LENGTH(cases)].site_connections,
	.retry = {
		.min = 10,
		.max = 100,
		.lifetime = 1000,
		.bounce_lifetime = 400,
		.delay_notice = 80,
	},
			.seed = seed,
		};

		play(&settings, seed + 1, 5000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_a_simple_one_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
