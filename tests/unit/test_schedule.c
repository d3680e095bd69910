/* SPDX-License-Identifier: MIT */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule_fixture.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const char *
name_of(const struct smtpd_delivery_job *job)
{
	return smtpd__destination_name(job->destination);
}

static void
jobs_are_taken_in_their_order(void **state)
{
	struct smtpd_delivery_job *jobs[5], *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_take_none(&w);
	for (size_t i = 0; i < LENGTH(jobs); i++)
		jobs[i] = world_mail(&w, "a.example");
	for (size_t i = 0; i < LENGTH(jobs); i++) {
		job = world_take(&w, &site);
		assert_ptr_equal(job, jobs[i]);
		world_sent(&w, job, site);
	}
	world_take_none(&w);
	assert_int_equal(
	    smtpd__schedule_next_time(w.schedule, w.now), SMTPD_TIME_NONE);
	world_end(&w);
}

static void
nothing_is_taken_before_its_time(void **state)
{
	(void)state;
	for (size_t e = 0; e < LENGTH(world_epochs); e++) {
		struct smtpd_delivery_job *late, *soon;
		struct smtpd_site *site;
		struct world w;

		world_begin(&w, NULL, world_epochs[e]);
		late = world_make(&w, "a.example", 0);
		soon = world_make(&w, "b.example", 0);
		late->due += 200;
		soon->due += 100;
		smtpd__schedule_insert(w.schedule, late, w.now);
		smtpd__schedule_insert(w.schedule, soon, w.now);
		assert_int_equal(
		    smtpd__schedule_next_time(w.schedule, w.now), soon->due);
		w.now = soon->due - 1;
		world_take_none(&w);
		assert_false(smtpd__schedule_needs_worker(w.schedule, w.now));
		w.now = soon->due;
		assert_int_equal(
		    smtpd__schedule_next_time(w.schedule, w.now), w.now);
		assert_true(smtpd__schedule_needs_worker(w.schedule, w.now));
		assert_ptr_equal(world_take(&w, &site), soon);
		world_sent(&w, soon, site);
		w.now = late->due;
		assert_ptr_equal(world_take(&w, &site), late);
		world_sent(&w, late, site);
		world_end(&w);
	}
}

static void
what_is_put_back_is_the_next(void **state)
{
	struct smtpd_delivery_job *a, *b, *old, *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	a = world_mail(&w, "a.example");
	b = world_mail(&w, "a.example");
	for (int i = 0; i < 10; i++) {
		assert_ptr_equal(world_take(&w, &site), a);
		smtpd__schedule_put_back(w.schedule, a, w.now);
		assert_int_equal(a->state, SMTPD_JOB_READY);
		smtpd__schedule_leave(w.schedule, site, w.now);
		world_check(&w);
	}
	assert_ptr_equal(world_take(&w, &site), a);
	world_sent(&w, a, site);
	assert_ptr_equal(world_take(&w, &site), b);
	world_sent(&w, b, site);
	old = world_retry(&w, "a.example");
	world_retry(&w, "a.example");
	assert_ptr_equal(world_take(&w, &site), old);
	smtpd__schedule_put_back(w.schedule, old, w.now);
	job = smtpd__schedule_take_more(w.schedule, w.now, site);
	assert_ptr_equal(job, old);
	world_sent(&w, job, site);
	world_end(&w);
}

static void
destinations_of_a_site_are_served_in_turn(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct smtpd_site *site, *sites[3];
	struct smtpd_delivery_job *job, *jobs[3];
	char served[16] = "";
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	for (size_t i = 0; i < LENGTH(names); i++)
		for (int n = 0; n < 3; n++)
			world_mail(&w, names[i]);
	for (int i = 0; i < 3; i++)
		jobs[i] = world_take(&w, &sites[i]);
	for (int i = 0; i < 3; i++) {
		assert_true(smtpd__destination_bind(
		    w.schedule, jobs[i]->destination, "mx", w.now, &sites[i]));
		world_sent(&w, jobs[i], sites[i]);
	}
	for (int i = 0; i < 6; i++) {
		job = world_take(&w, &site);
		served[i] = name_of(job)[0];
		world_sent(&w, job, site);
	}
	assert_string_equal(served, "abcabc");
	world_end(&w);
}

static void
a_retry_comes_after_three_others(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	char served[13] = "";
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "a.example", 7);
	for (int i = 0; i < 5; i++)
		world_retry(&w, "a.example");
	for (int i = 0; i < 12; i++) {
		job = world_take(&w, &site);
		served[i] = job->attempts > 0 ? 'r' : 'f';
		world_sent(&w, job, site);
	}
	assert_string_equal(served, "fffrfffrfrrr");
	world_end(&w);
}

static void
retries_have_half_of_the_workers_while_others_wait(void **state)
{
	static const struct {
		uint32_t workers;
		uint32_t retries;
	} cases[] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 2 }, { 64, 32 } };
	struct world w;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct smtpd_schedule_settings settings = world_defaults;
		struct smtpd_site *sites[64];
		struct smtpd_delivery_job *jobs[64];
		uint32_t n, retries = 0;
		char name[16];

		settings.workers = cases[i].workers;
		world_begin(&w, &settings, 0);
		for (int k = 0; k < 100; k++) {
			snprintf(name, sizeof(name), "r%d", k);
			world_retry(&w, name);
		}
		for (int k = 0; k < 100; k++) {
			snprintf(name, sizeof(name), "f%d", k);
			world_mail(&w, name);
		}
		for (n = 0; n < cases[i].workers; n++) {
			jobs[n] = world_take(&w, &sites[n]);
			retries += jobs[n]->attempts > 0;
		}
		world_take_none(&w);
		assert_int_equal(retries, cases[i].retries);
		world_check(&w);
		while (n-- > 0)
			world_sent(&w, jobs[n], sites[n]);
		world_end(&w);
	}
}

static void
sites_have_their_turn_while_retries_stand_back(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct smtpd_site *sites[8];
	struct smtpd_delivery_job *jobs[8];
	char name[16], served[5] = "";
	struct world w;

	(void)state;
	settings.workers = 8;
	world_begin(&w, &settings, 0);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		world_retry(&w, name);
	}
	for (int i = 0; i < 4; i++)
		jobs[i] = world_take(&w, &sites[i]);
	world_mail_many(&w, "a", 3);
	world_mail_many(&w, "b", 3);
	for (int i = 4; i < 8; i++) {
		jobs[i] = world_take(&w, &sites[i]);
		served[i - 4] = name_of(jobs[i])[0];
	}
	assert_string_equal(served, "abab");
	for (int i = 0; i < 8; i++)
		world_sent(&w, jobs[i], sites[i]);
	world_end(&w);
}

static void
retries_have_all_workers_when_nothing_else_can_be_tried(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct smtpd_site *sites[5], *dead;
	struct smtpd_delivery_job *jobs[5], *job;
	struct world w;
	char name[16];

	(void)state;
	settings.workers = 4;
	world_begin(&w, &settings, 0);
	world_mail_many(&w, "dead.example", 9);
	world_suspend(&w);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		world_retry(&w, name);
		world_retry(&w, name);
	}
	for (int i = 0; i < 4; i++) {
		jobs[i] = world_take(&w, &sites[i]);
		assert_int_equal(jobs[i]->attempts, 1);
	}

	/* New mail: a connection of a retry's site stands back for it. */
	world_mail(&w, "new.example");
	world_finish(&w, jobs[0]);
	assert_null(smtpd__schedule_take_more(w.schedule, w.now, sites[0]));
	assert_true(smtpd__schedule_needs_worker(w.schedule, w.now));
	smtpd__schedule_leave(w.schedule, sites[0], w.now);
	job = world_take(&w, &dead);
	assert_string_equal(name_of(job), "new.example");
	world_finish(&w, jobs[1]);
	jobs[1] = smtpd__schedule_take_more(w.schedule, w.now, sites[1]);
	assert_non_null(jobs[1]);
	world_sent(&w, job, dead);
	for (int i = 1; i < 4; i++)
		world_sent(&w, jobs[i], sites[i]);
	world_end(&w);
}

/* How many connections some site would get at once. */
static uint32_t
count_connections(struct world *w)
{
	struct smtpd_site *sites[100];
	struct smtpd_delivery_job *jobs[100];
	uint32_t n = 0;

	while ((jobs[n] = smtpd__schedule_take(
		    w->schedule, w->now, &sites[n])) != NULL)
		n++;
	for (uint32_t i = n; i-- > 0;) {
		smtpd__schedule_put_back(w->schedule, jobs[i], w->now);
		smtpd__schedule_leave(w->schedule, sites[i], w->now);
	}
	return n;
}

static void
no_site_has_more_than_a_quarter_of_the_workers(void **state)
{
	static const struct {
		uint32_t workers;
		uint32_t site_connections;
		uint32_t most;
	} cases[] = {
		{ 1, 10, 1 },
		{ 3, 10, 1 },
		{ 7, 10, 1 },
		{ 8, 10, 2 },
		{ 20, 10, 5 },
		{ 64, 10, 10 },
		{ 64, 100, 16 },
		{ 64, 1, 1 },
		{ 64, 0, 1 },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct smtpd_schedule_settings settings = world_defaults;
		struct smtpd_site *site;
		struct smtpd_delivery_job *job;

		settings.workers = cases[i].workers;
		settings.site_connections = cases[i].site_connections;
		world_begin(&w, &settings, 0);
		world_mail_many(&w, "a.example", 300);
		for (int n = 0; n < 200; n++) {
			job = world_take(&w, &site);
			world_sent(&w, job, site);
		}
		assert_int_equal(count_connections(&w), cases[i].most);
		world_end(&w);
	}
}

static void
workers_are_no_more_than_there_are(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct smtpd_site *sites[5], *none;
	struct smtpd_delivery_job *jobs[5];
	struct world w;
	char name[16];

	(void)state;
	settings.workers = 5;
	world_begin(&w, &settings, 0);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		world_mail(&w, name);
	}
	for (int i = 0; i < 5; i++)
		jobs[i] = world_take(&w, &sites[i]);
	assert_null(smtpd__schedule_take(w.schedule, w.now, &none));
	assert_true(smtpd__schedule_needs_worker(w.schedule, w.now));
	assert_true(smtpd__schedule_next_time(w.schedule, w.now) > w.now);
	world_sent(&w, jobs[2], sites[2]);
	assert_int_equal(smtpd__schedule_next_time(w.schedule, w.now), w.now);
	jobs[2] = world_take(&w, &sites[2]);
	for (int i = 0; i < 5; i++)
		world_sent(&w, jobs[i], sites[i]);
	world_end(&w);
}

/* Each of many sites, with anything between one and a thousand jobs, is served
 * once in as many takes as there are sites. */
static void
every_site_has_its_turn(void **state)
{
	enum {
		SITES = 50
	};
	struct world w;
	uint32_t last[SITES] = { 0 }, left[SITES];
	char name[16];

	(void)state;
	srand(7);
	world_begin(&w, NULL, 0);
	for (int i = 0; i < SITES; i++) {
		left[i] = i % 10 == 0 ? 1000 : 1 + (uint32_t)rand() % 40;
		snprintf(name, sizeof(name), "%d", i);
		for (uint32_t n = 0; n < left[i]; n++)
			if (n % 3 == 0)
				world_retry(&w, name);
			else
				world_mail(&w, name);
	}
	for (uint32_t now = 1;; now++) {
		struct smtpd_site *site;
		struct smtpd_delivery_job *job =
		    smtpd__schedule_take(w.schedule, w.now, &site);
		size_t i;

		if (job == NULL)
			break;
		i = strtoul(name_of(job), NULL, 10);
		assert_true(now - last[i] <= SITES);
		last[i] = now;
		left[i]--;
		world_sent(&w, job, site);
	}
	for (int i = 0; i < SITES; i++)
		assert_int_equal(left[i], 0);
	world_end(&w);
}

/* S12: an attempt that waits for its host makes room for another. */
static void
what_is_set_aside_holds_no_worker(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct smtpd_site *sites[2];
	struct smtpd_delivery_job *jobs[2];
	struct world w;

	(void)state;
	settings.workers = 1;
	settings.aside = 1;
	world_begin(&w, &settings, 0);
	world_mail(&w, "a.example");
	world_mail(&w, "b.example");
	for (int i = 0; i < 2; i++) {
		jobs[i] = world_take(&w, &sites[i]);
		assert_true(smtpd__schedule_is_full(w.schedule));
		world_take_none(&w);
		assert_int_equal(
		    smtpd__schedule_set_aside(w.schedule, jobs[i]), i == 0);
		world_check(&w);
	}
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			smtpd__schedule_rejoin(w.schedule);
		world_sent(&w, jobs[i], sites[i]);
	}
	world_end(&w);
}

/* S12: sites that never answered have half of all, so others have the rest. */
static void
strangers_have_a_share(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct smtpd_site *sites[6], *site;
	struct smtpd_delivery_job *jobs[6], *job;
	struct world w;
	char name[16];

	(void)state;
	settings.workers = 4;
	settings.aside = 8;
	world_begin(&w, &settings, 0);
	job = world_mail(&w, "known.example");
	assert_ptr_equal(world_take(&w, &site), job);
	world_sent(&w, job, site);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "silent%d", i);
		world_mail(&w, name);
	}
	for (int i = 0; i < 6; i++) {
		jobs[i] = world_take(&w, &sites[i]);
		assert_true(smtpd__schedule_set_aside(w.schedule, jobs[i]));
	}
	world_take_none(&w);
	assert_false(smtpd__schedule_needs_worker(w.schedule, w.now));
	for (int i = 0; i < 10; i++) {
		job = world_mail(&w, "known.example");
		assert_ptr_equal(world_take(&w, &site), job);
		world_sent(&w, job, site);
	}

	/* One that failed once more is a stranger again. */
	job = world_mail(&w, "known.example");
	assert_ptr_equal(world_take(&w, &site), job);
	world_defer(&w, job, site, SMTPD_SITE_DOWN);
	w.now = world_site_info(job).resumes_at;
	world_take_none(&w);
	for (int i = 0; i < 6; i++) {
		smtpd__schedule_rejoin(w.schedule);
		world_sent(&w, jobs[i], sites[i]);
	}
	world_end(&w);
}

/* S12: among strangers the one that came last does not wait for all others. */
static void
the_newest_stranger_does_not_wait_for_all_others(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct smtpd_site *sites[3];
	struct smtpd_delivery_job *jobs[3];
	struct world w;
	char name[16];
	bool found = false;

	(void)state;
	settings.aside = 1000;
	world_begin(&w, &settings, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "silent%d", i);
		world_mail(&w, name);
	}
	jobs[0] = world_take(&w, &sites[0]);
	assert_true(smtpd__schedule_set_aside(w.schedule, jobs[0]));
	world_mail(&w, "live.example");
	for (int i = 1; i < 3; i++) {
		jobs[i] = world_take(&w, &sites[i]);
		found = found || strcmp(name_of(jobs[i]), "live.example") == 0;
	}
	assert_true(found);
	smtpd__schedule_rejoin(w.schedule);
	for (int i = 0; i < 3; i++)
		world_sent(&w, jobs[i], sites[i]);
	world_end(&w);
}

static void
a_job_can_be_withdrawn_in_every_state(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	job = world_make(&w, "a.example", 0);
	smtpd__schedule_withdraw(w.schedule, job);
	smtpd__schedule_retire(w.schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_OUT);
	job->due = 100;
	smtpd__schedule_insert(w.schedule, job, w.now);
	assert_int_equal(job->state, SMTPD_JOB_LATER);
	smtpd__schedule_retire(w.schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_LATER);
	smtpd__schedule_withdraw(w.schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_OUT);
	world_check(&w);
	w.now = 100;
	smtpd__schedule_insert(w.schedule, job, w.now);
	assert_int_equal(job->state, SMTPD_JOB_READY);
	smtpd__schedule_withdraw(w.schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_OUT);
	world_check(&w);
	world_take_none(&w);
	smtpd__schedule_insert(w.schedule, job, w.now);
	assert_ptr_equal(world_take(&w, &site), job);
	smtpd__schedule_withdraw(w.schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_ACTIVE);
	smtpd__schedule_retire(w.schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_OUT);
	smtpd__schedule_leave(w.schedule, site, w.now);
	world_end(&w);
}

static void
a_job_can_be_flushed_in_every_state(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 50);
	job = world_make(&w, "a.example", 0);
	smtpd__schedule_flush(w.schedule, job, w.now);
	assert_int_equal(job->state, SMTPD_JOB_OUT);
	job->due = 100;
	smtpd__schedule_insert(w.schedule, job, w.now);
	smtpd__schedule_flush(w.schedule, job, w.now);
	assert_int_equal(job->state, SMTPD_JOB_READY);
	assert_int_equal(job->due, w.now);
	smtpd__schedule_flush(w.schedule, job, w.now);
	assert_int_equal(job->state, SMTPD_JOB_READY);
	assert_ptr_equal(world_take(&w, &site), job);
	smtpd__schedule_flush(w.schedule, job, w.now);
	assert_int_equal(job->state, SMTPD_JOB_ACTIVE);
	world_check(&w);
	world_sent(&w, job, site);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_are_taken_in_their_order),
		cmocka_unit_test(nothing_is_taken_before_its_time),
		cmocka_unit_test(what_is_put_back_is_the_next),
		cmocka_unit_test(destinations_of_a_site_are_served_in_turn),
		cmocka_unit_test(a_retry_comes_after_three_others),
		cmocka_unit_test(
		    retries_have_half_of_the_workers_while_others_wait),
		cmocka_unit_test(
		    sites_have_their_turn_while_retries_stand_back),
		cmocka_unit_test(
		    retries_have_all_workers_when_nothing_else_can_be_tried),
		cmocka_unit_test(
		    no_site_has_more_than_a_quarter_of_the_workers),
		cmocka_unit_test(workers_are_no_more_than_there_are),
		cmocka_unit_test(every_site_has_its_turn),
		cmocka_unit_test(what_is_set_aside_holds_no_worker),
		cmocka_unit_test(strangers_have_a_share),
		cmocka_unit_test(
		    the_newest_stranger_does_not_wait_for_all_others),
		cmocka_unit_test(a_job_can_be_withdrawn_in_every_state),
		cmocka_unit_test(a_job_can_be_flushed_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
