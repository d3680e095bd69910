/* SPDX-License-Identifier: MIT */

#include <stdbool.h>

#include "schedule_fixture.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

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
		uint32_t t = world_decide(&a, ja, true).due;

		assert_in_range(t, 270, 330);
		assert_int_equal(world_decide(&b, jb, true).due, t);
		same += world_decide(&c, jc, true).due == t;
	}
	assert_true(same < 20);
	world_end(&a);
	world_end(&b);
	world_end(&c);
}

/* Have one message deferred until its life is over.  Return how often it was
 * tried; it must be for the last time at its very end. */
static unsigned
live(struct world *w, unsigned flags, uint32_t lifetime)
{
	struct smtpd_delivery_job *job = world_make(w, "a.example", flags);
	uint32_t end = w->now + lifetime;
	unsigned tries = 0;

	assert_int_equal(world_decide(w, job, false).expiry, end);
	assert_int_equal(smtpd__schedule_insert(w->schedule, job, w->now), 0);
	for (;;) {
		struct smtpd_site *site;

		assert_null(smtpd__schedule_overdue(w->schedule, w->now));
		assert_ptr_equal(world_take(w, &site), job);
		tries++;
		assert_int_equal(
		    world_decide(w, job, true).expired, w->now >= end);
		if (w->now >= end)
			break;
		world_defer(w, job, site, SMTPD_SITE_FINE);
		world_take_none(w);
		w->now = smtpd__schedule_next_time(w->schedule, w->now);
		assert_int_equal(w->now, job->due);
	}
	assert_int_equal(w->now, end);
	smtpd__schedule_leave(
	    w->schedule, smtpd__destination_site(job->destination), w->now);
	return tries;
}

/* RFC 5321, 4.5.4.1 */
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
	struct smtpd_retry r;

	(void)state;
	settings.retry.lifetime = SMTPD_TIME_NONE;
	settings.retry.bounce_lifetime = SMTPD_TIME_NONE;
	settings.retry.delay_notice = SMTPD_TIME_NONE;
	world_begin(&w, &settings, 0);
	job = world_mail(&w, "a.example");
	bounce = world_make(&w, "a.example", SMTPD_MESSAGE_NULL_SENDER);
	assert_int_equal(
	    world_decide(&w, bounce, false).expiry, SMTPD_TIME_NONE);
	w.now = UINT32_MAX - 2;
	r = world_decide(&w, job, false);
	assert_int_equal(r.expiry, SMTPD_TIME_NONE);
	assert_false(r.expired);
	assert_false(r.wants_delay_notice);
	world_suspend(&w);
	assert_null(smtpd__schedule_overdue(w.schedule, w.now));
	world_end(&w);
}

static void
times_do_not_wrap(void **state)
{
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, UINT32_MAX - 100);
	world_mail(&w, "a.example");
	resumes_at = world_suspend(&w);
	assert_int_equal(resumes_at, UINT32_MAX - 1);
	assert_int_equal(
	    smtpd__schedule_next_time(w.schedule, w.now), resumes_at);
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
			world_defer(w, probe, site, SMTPD_SITE_DOWN);
			probes++;
			continue;
		}
		assert_true(
		    smtpd__schedule_next_time(w->schedule, w->now) > w->now);
		w->now = smtpd__schedule_next_time(w->schedule, w->now);
	}
	return probes;
}

static void
mail_of_a_dead_site_has_its_delay_notice_and_its_end(void **state)
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
			assert_true(
			    world_decide(&w, job, false).wants_delay_notice);
			assert_false(job->delay_notice_sent);
			job->delay_notice_sent = true;
			smtpd__schedule_insert(w.schedule, job, w.now);
			assert_int_equal(job->state, SMTPD_JOB_READY);
			world_check(&w);
		}
		for (int i = 0; i < 30; i++) {
			wait_for_overdue(&w, &job);
			assert_int_equal(w.now, start + 5 * DAY);
			assert_true(world_decide(&w, job, false).expired);
			assert_string_equal(
			    world_site_info(job).why->text, "it is not there");
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
		cmocka_unit_test(chance_depends_on_the_seed),
		cmocka_unit_test(each_life_ends_with_a_last_try),
		cmocka_unit_test(mail_may_live_for_ever),
		cmocka_unit_test(times_do_not_wrap),
		cmocka_unit_test(
		    mail_of_a_dead_site_has_its_delay_notice_and_its_end),
		cmocka_unit_test(a_busy_site_leaves_time_for_a_last_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
