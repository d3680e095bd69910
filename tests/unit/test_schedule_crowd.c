/* SPDX-License-Identifier: MIT */

/* Live mail beside a large queue for sites that are dead, silent or slow: it
 * must hardly feel it.  Time is virtual, and counted in hundredths of a second
 * here. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/schedule/state.h"
#include "schedule_fixture.h"

#include "test.h"

#define SECOND   100U
#define SLOW_END (SECOND / 10) /* an attempt may be set aside after that */

/* Live mail: so many a second, to so many domains, for so long. */
#define LIVE_RATE    50
#define LIVE_DOMAINS 100
#define LIVE_FOR     (200 * SECOND)

enum {
	WORKERS = 64,
	ASIDE = 32 * WORKERS,
	RUNNING_MAX = WORKERS + ASIDE,
};

/* How attempts at a domain go. */
struct manner {
	const char *name;
	uint32_t time;
	enum smtpd_site_feedback feedback;
	int domains;  /* that are such */
	int messages; /* for each, in the queue from the beginning */
};

static const struct manner live = { "live", 5, SMTPD_SITE_FINE, 0, 0 };

struct attempt {
	struct smtpd_delivery_job *job; /* NULL: there is none */
	struct smtpd_site *site;
	const struct manner *manner;
	uint32_t began;
	bool aside;
};

struct run {
	struct world w;
	const struct manner *manners;
	size_t nmanners;
	struct attempt attempts[RUNNING_MAX];
	uint32_t delays[LIVE_RATE * LIVE_FOR / SECOND];
	size_t ndelays;
};

static const struct manner *
manner_of(const struct run *run, const struct smtpd_delivery_job *job)
{
	const char *domain = smtpd__destination_name(job->destination);

	for (size_t i = 0; i < run->nmanners; i++)
		if (strncmp(domain, run->manners[i].name,
			strlen(run->manners[i].name)) == 0)
			return &run->manners[i];
	return &live;
}

static void
end_attempt(struct run *run, struct attempt *a)
{
	struct world *w = &run->w;
	struct smtpd_delivery_job *job = a->job;

	if (a->aside)
		smtpd__schedule_rejoin(w->schedule);
	a->job = NULL;
	if (a->manner->feedback == SMTPD_SITE_DOWN) {
		world_defer(w, job, a->site, SMTPD_SITE_DOWN);
		return;
	}
	if (a->manner == &live)
		run->delays[run->ndelays++] = w->now - job->message->arrived;
	smtpd__site_feedback_report(
	    w->schedule, a->site, a->manner->feedback, NULL, w->now);
	world_finish(w, job);
	smtpd__schedule_leave(w->schedule, a->site, w->now);
}

static void
end_attempts(struct run *run)
{
	for (int i = 0; i < RUNNING_MAX; i++) {
		struct attempt *a = &run->attempts[i];

		if (a->job != NULL && run->w.now - a->began >= a->manner->time)
			end_attempt(run, a);
	}
}

/* As the dispatcher does. */
static void
make_room(struct run *run)
{
	struct smtpd_schedule *s = run->w.schedule;

	if (!smtpd__schedule_is_full(s) ||
	    !smtpd__schedule_needs_worker(s, run->w.now))
		return;
	for (int i = 0; i < RUNNING_MAX; i++) {
		struct attempt *a = &run->attempts[i];

		if (a->job != NULL && !a->aside &&
		    run->w.now - a->began >= SLOW_END)
			a->aside = smtpd__schedule_set_aside(s, a->job);
	}
}

static void
keep_attempt(struct run *run, const struct attempt *a)
{
	int i = 0;

	while (i < RUNNING_MAX && run->attempts[i].job != NULL)
		i++;
	assert_true(i < RUNNING_MAX);
	run->attempts[i] = *a;
}

static void
begin_attempts(struct run *run)
{
	struct world *w = &run->w;
	struct attempt a = { .began = w->now };
	char name[32];

	while ((a.job = smtpd__schedule_take(w->schedule, w->now, &a.site)) !=
	    NULL) {
		snprintf(name, sizeof(name), "mx.%s",
		    smtpd__destination_name(a.job->destination));
		a.manner = manner_of(run, a.job);
		if (smtpd__destination_bind(
			w->schedule, a.job->destination, name, w->now, &a.site))
			keep_attempt(run, &a);
		else
			smtpd__schedule_put_back(w->schedule, a.job, w->now);
	}
}

static int
compare_delays(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
queue_mail(struct run *run)
{
	for (size_t i = 0; i < run->nmanners; i++)
		for (int d = 0; d < run->manners[i].domains; d++) {
			char domain[32];

			snprintf(domain, sizeof(domain), "%s%d",
			    run->manners[i].name, d);
			world_mail_many(
			    &run->w, domain, (size_t)run->manners[i].messages);
		}
}

static void
finish_run(struct run *run)
{
	for (int i = 0; i < RUNNING_MAX; i++)
		if (run->attempts[i].job != NULL)
			end_attempt(run, &run->attempts[i]);
	world_end(&run->w);
}

/* Run live mail beside what the MANNERS say.  Return the 99th percentile of its
 * delays. */
static uint32_t
measure_live(const struct manner *manners, size_t count)
{
	static const struct smtpd_schedule_settings settings = {
		.workers = WORKERS,
		.aside = ASIDE,
		.site_connections = 10,
		.retry = {
			.min = 300 * SECOND,
			.max = 7200 * SECOND,
			.lifetime = 432000 * SECOND,
			.bounce_lifetime = 172800 * SECOND,
			.delay_notice = 14400 * SECOND,
		},
		.seed = 1,
	};
	struct run *run = calloc(1, sizeof(*run));
	uint32_t start = 1000, p99;

	assert_non_null(run);
	run->manners = manners;
	run->nmanners = count;
	world_begin(&run->w, &settings, start);
	queue_mail(run);
	for (; run->w.now < start + LIVE_FOR; run->w.now++) {
		if ((run->w.now - start) % (SECOND / LIVE_RATE) == 0) {
			char domain[32];

			snprintf(domain, sizeof(domain), "live%d",
			    rand() % LIVE_DOMAINS);
			world_mail(&run->w, domain);
		}
		end_attempts(run);
		make_room(run);
		begin_attempts(run);
	}
	/* Next to nothing of it waits at the end. */
	assert_in_range(
	    run->ndelays, COUNT(run->delays) * 99 / 100, COUNT(run->delays));
	qsort(
	    run->delays, run->ndelays, sizeof(run->delays[0]), compare_delays);
	p99 = run->delays[run->ndelays * 99 / 100];
	finish_run(run);
	free(run);
	return p99;
}

static void
live_mail_hardly_feels_the_rest(void **state)
{
	static const struct manner crowd[] = {
		{ "dead", 1, SMTPD_SITE_DOWN, 300, 100 },
		{ "silent", 30 * SECOND, SMTPD_SITE_DOWN, 300, 100 },
		{ "slow", 10 * SECOND, SMTPD_SITE_SLOW, 300, 100 },
	};
	uint32_t alone = measure_live(NULL, 0);

	(void)state;
	for (size_t i = 0; i <= COUNT(crowd); i++) {
		size_t count = i < COUNT(crowd) ? 1 : COUNT(crowd);
		uint32_t beside =
		    measure_live(i < COUNT(crowd) ? &crowd[i] : crowd, count);

		printf("beside %s sites: 99 %% of live mail within %u0 ms, "
		       "alone %u0 ms\n",
		    i < COUNT(crowd) ? crowd[i].name : "all these", beside,
		    alone);
		assert_true(beside <= 2 * alone);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_mail_hardly_feels_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
