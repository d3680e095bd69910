/* SPDX-License-Identifier: MIT */

#include <stdbool.h>

#include "schedule_fixture.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
assert_about(uint32_t value, uint32_t nominal)
{
	assert_in_range(value, nominal - nominal / 10, nominal + nominal / 10);
}

static void
retries_double_up_to_two_hours(void **state)
{
	static const uint16_t attempts[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 31, 32,
		33, 34, 1000, UINT16_MAX };
	static const uint32_t minutes[] = { 5, 5, 10, 20, 40, 80, 120, 120, 120,
		120, 120, 120, 120, 120, 120 };
	struct world w;

	(void)state;
	for (size_t e = 0; e < LENGTH(world_epochs); e++) {
		struct smtpd_delivery_job *job;

		world_begin(&w, NULL, world_epochs[e]);
		job = world_make(&w, "a.example", 0);
		for (size_t i = 0; i < LENGTH(attempts); i++)
			for (int k = 0; k < 100; k++)
				assert_about(smtpd__schedule_retry(w.schedule,
						 job, attempts[i], w.now) -
					w.now,
				    minutes[i] * MINUTE);
		world_end(&w);
	}
}

static void
retries_are_spread_over_the_whole_tenth(void **state)
{
	struct world w;
	struct smtpd_delivery_job *job;
	uint32_t least = UINT32_MAX, most = 0;
	uint64_t sum = 0;

	(void)state;
	world_begin(&w, NULL, 0);
	job = world_make(&w, "a.example", 0);
	for (int i = 0; i < 10000; i++) {
		uint32_t t = smtpd__schedule_retry(w.schedule, job, 1, 0);

		sum += t;
		least = t < least ? t : least;
		most = t > most ? t : most;
	}
	assert_int_equal(least, 270);
	assert_int_equal(most, 330);
	assert_in_range(sum / 10000, 298, 302);
	world_end(&w);
}

static void
chance_depends_on_the_seed(void **state)
{
	struct smtpd_schedule_settings other = world_defaults;
	struct world a, b, c;
	unsigned same = 0;

	(void)state;
	other.seed++;
	world_begin(&a, NULL, 0);
	world_begin(&b, NULL, 0);
	world_begin(&c, &other, 0);
	for (int i = 0; i < 100; i++) {
		struct smtpd_delivery_job *ja = world_make(&a, "a.example", 0);
		struct smtpd_delivery_job *jb = world_make(&b, "a.example", 0);
		struct smtpd_delivery_job *jc = world_make(&c, "a.example", 0);
		uint32_t t = smtpd__schedule_retry(a.schedule, ja, 9, 0);

		assert_int_equal(
		    smtpd__schedule_retry(b.schedule, jb, 9, 0), t);
		same += smtpd__schedule_retry(c.schedule, jc, 9, 0) == t;
	}
	assert_true(same < 20);
	world_end(&a);
	world_end(&b);
	world_end(&c);
}

static void
an_unsure_job_waits_half_an_hour(void **state)
{
	static const uint32_t minutes[] = { 30, 30, 30, 40, 80, 120 };
	struct world w;
	struct smtpd_delivery_job *job;

	(void)state;
	world_begin(&w, NULL, 7);
	job = world_make(&w, "a.example", 0);
	job->in_doubt = true;
	for (uint16_t i = 0; i < LENGTH(minutes); i++) {
		uint32_t wait = smtpd__schedule_retry(
				    w.schedule, job, (uint16_t)(i + 1), w.now) -
		    w.now;

		assert_about(wait, minutes[i] * MINUTE);
		assert_true(wait >= 30 * MINUTE);
	}
	w.now = smtpd__schedule_expiry(w.schedule, job) - MINUTE;
	assert_int_equal(
	    smtpd__schedule_retry(w.schedule, job, 1, w.now), w.now + MINUTE);
	world_end(&w);
}

/* Have one message put off until its life is over.  Return how often it was
 * tried; it must be for the last time at its very end. */
static unsigned
live(struct world *w, unsigned flags, uint32_t lifetime)
{
	struct smtpd_delivery_job *job = world_make(w, "a.example", flags);
	uint32_t end = w->now + lifetime;
	unsigned tries = 0;

	assert_int_equal(smtpd__schedule_expiry(w->schedule, job), end);
	assert_int_equal(smtpd__schedule_insert(w->schedule, job, w->now), 0);
	for (;;) {
		struct smtpd_site *site;

		assert_null(smtpd__schedule_overdue(w->schedule, w->now));
		assert_ptr_equal(world_take(w, &site), job);
		tries++;
		assert_int_equal(
		    smtpd__schedule_is_expired(w->schedule, job, w->now),
		    w->now >= end);
		if (w->now >= end)
			break;
		world_put_off(w, job, site, SMTPD_SITE_FINE);
		world_take_none(w);
		w->now = smtpd__schedule_wake(w->schedule, w->now);
		assert_int_equal(w->now, job->due);
	}
	assert_int_equal(w->now, end);
	smtpd__schedule_leave(
	    w->schedule, smtpd__schedule_site(job->destination), w->now);
	return tries;
}

static void
each_life_ends_with_a_last_try(void **state)
{
	(void)state;
	for (size_t e = 0; e < LENGTH(world_epochs); e++) {
		struct world w;

		world_begin(&w, NULL, world_epochs[e]);
		assert_in_range(live(&w, 0, 5 * DAY), 60, 75);
		assert_in_range(
		    live(&w, SMTPD_MESSAGE_NULL_SENDER, 2 * DAY), 25, 35);
		world_end(&w);
	}
}

static void
mail_may_live_for_ever(void **state)
{
	struct smtpd_schedule_settings settings = world_defaults;
	struct world w;
	struct smtpd_delivery_job *job, *bounce;

	(void)state;
	settings.lifetime = SMTPD_TIME_NONE;
	settings.bounce_lifetime = SMTPD_TIME_NONE;
	settings.notice = SMTPD_TIME_NONE;
	world_begin(&w, &settings, 0);
	job = world_mail(&w, "a.example");
	bounce = world_make(&w, "a.example", SMTPD_MESSAGE_NULL_SENDER);
	assert_int_equal(
	    smtpd__schedule_expiry(w.schedule, job), SMTPD_TIME_NONE);
	assert_int_equal(
	    smtpd__schedule_expiry(w.schedule, bounce), SMTPD_TIME_NONE);
	w.now = UINT32_MAX - 2;
	assert_false(smtpd__schedule_is_expired(w.schedule, job, w.now));
	assert_false(smtpd__schedule_wants_notice(w.schedule, job, w.now));
	world_close(&w);
	assert_null(smtpd__schedule_overdue(w.schedule, w.now));
	world_end(&w);
}

static void
times_do_not_wrap(void **state)
{
	struct world w;
	struct smtpd_delivery_job *job;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, UINT32_MAX - 100);
	job = world_mail(&w, "a.example");
	assert_int_equal(
	    smtpd__schedule_expiry(w.schedule, job), UINT32_MAX - 1);
	assert_int_equal(
	    smtpd__schedule_retry(w.schedule, job, 9, w.now), UINT32_MAX - 1);
	assert_false(smtpd__schedule_is_expired(w.schedule, job, w.now));
	resumes_at = world_close(&w);
	assert_int_equal(resumes_at, UINT32_MAX - 1);
	assert_int_equal(smtpd__schedule_wake(w.schedule, w.now), resumes_at);
	world_end(&w);
}

static void
a_retry_past_the_end_is_not_at_once(void **state)
{
	struct world w;
	struct smtpd_delivery_job *job;

	(void)state;
	world_begin(&w, NULL, 50);
	job = world_make(&w, "a.example", 0);
	w.now += 6 * DAY;
	assert_int_equal(smtpd__schedule_retry(w.schedule, job, 1, w.now),
	    w.now + 5 * MINUTE);
	world_end(&w);
}

static void
a_notice_is_wanted_once_and_of_people_only(void **state)
{
	static const struct {
		unsigned flags;
		bool given;
		uint32_t age;
		bool wanted;
	} cases[] = {
		{ 0, false, 4 * HOUR - 1, false },
		{ 0, false, 4 * HOUR, true },
		{ 0, true, 4 * HOUR, false },
		{ 0, false, 5 * DAY - 1, true },
		{ 0, false, 5 * DAY, false },
		{ SMTPD_MESSAGE_NULL_SENDER, false, 4 * HOUR, false },
		{ SMTPD_MESSAGE_AUTOMATIC, false, 4 * HOUR, false },
		{ SMTPD_MESSAGE_UTF8, false, 4 * HOUR, true },
	};
	struct world w;

	(void)state;
	world_begin(&w, NULL, 12345);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct smtpd_delivery_job *job =
		    world_make(&w, "a.example", cases[i].flags);

		job->delay_notice_sent = cases[i].given;
		assert_int_equal(smtpd__schedule_wants_notice(
				     w.schedule, job, w.now + cases[i].age),
		    cases[i].wanted);
	}
	world_end(&w);
}

/* Go on until something is overdue, while the site is probed and stays down.
 * Return how many probes that took. */
static unsigned
wait_for_overdue(struct world *w, struct smtpd_delivery_job **job)
{
	unsigned probes = 0;

	while ((*job = smtpd__schedule_overdue(w->schedule, w->now)) == NULL) {
		struct smtpd_site *site;
		struct smtpd_delivery_job *probe =
		    smtpd__schedule_take(w->schedule, w->now, &site);

		if (probe != NULL) {
			world_put_off(w, probe, site, SMTPD_SITE_DOWN);
			probes++;
			continue;
		}
		assert_true(smtpd__schedule_wake(w->schedule, w->now) > w->now);
		w->now = smtpd__schedule_wake(w->schedule, w->now);
	}
	return probes;
}

static void
mail_of_a_dead_site_has_its_notice_and_its_end(void **state)
{
	(void)state;
	for (size_t e = 0; e < LENGTH(world_epochs); e++) {
		uint32_t start = world_epochs[e];
		struct world w;
		struct smtpd_delivery_job *job;

		world_begin(&w, NULL, start);
		world_mail_many(&w, "dead.example", 30);
		for (int i = 0; i < 30; i++) {
			wait_for_overdue(&w, &job);
			assert_in_range(w.now, start + 4 * HOUR,
			    start + 6 * HOUR + 12 * MINUTE);
			assert_true(smtpd__schedule_wants_notice(
			    w.schedule, job, w.now));
			assert_false(job->delay_notice_sent);
			job->delay_notice_sent = true;
			smtpd__schedule_insert(w.schedule, job, w.now);
			assert_int_equal(job->state, SMTPD_JOB_READY);
			world_check(&w);
		}
		for (int i = 0; i < 30; i++) {
			wait_for_overdue(&w, &job);
			assert_int_equal(w.now, start + 5 * DAY);
			assert_true(
			    smtpd__schedule_is_expired(w.schedule, job, w.now));
			assert_string_equal(
			    world_facts(job).why->text, "it is not there");
			world_finish(&w, job);
		}
		world_end(&w);
	}
}

static void
a_busy_site_leaves_time_for_a_last_try(void **state)
{
	struct world w;
	struct smtpd_delivery_job *job, *first, *second;
	struct smtpd_site *site;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "a.example", 3);
	w.now = 4 * HOUR;
	first = world_take(&w, &site);
	assert_null(smtpd__schedule_overdue(w.schedule, w.now));
	second = world_take(&w, &site);
	world_take_none(&w);
	w.now += MINUTE;
	job = smtpd__schedule_overdue(w.schedule, w.now);
	assert_non_null(job);
	job->delay_notice_sent = true;
	smtpd__schedule_insert(w.schedule, job, w.now);
	for (; w.now < 5 * DAY + 2 * HOUR; w.now += MINUTE)
		assert_null(smtpd__schedule_overdue(w.schedule, w.now));
	w.now += MINUTE;
	assert_ptr_equal(smtpd__schedule_overdue(w.schedule, w.now), job);
	world_sent(&w, first, site);
	world_sent(&w, second, site);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries_double_up_to_two_hours),
		cmocka_unit_test(retries_are_spread_over_the_whole_tenth),
		cmocka_unit_test(chance_depends_on_the_seed),
		cmocka_unit_test(an_unsure_job_waits_half_an_hour),
		cmocka_unit_test(each_life_ends_with_a_last_try),
		cmocka_unit_test(mail_may_live_for_ever),
		cmocka_unit_test(times_do_not_wrap),
		cmocka_unit_test(a_retry_past_the_end_is_not_at_once),
		cmocka_unit_test(a_notice_is_wanted_once_and_of_people_only),
		cmocka_unit_test(
		    mail_of_a_dead_site_has_its_notice_and_its_end),
		cmocka_unit_test(a_busy_site_leaves_time_for_a_last_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
