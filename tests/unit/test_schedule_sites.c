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

static uint32_t
report(
    struct world *w, struct smtpd_site *site, enum smtpd_site_feedback feedback)
{
	struct smtpd_result why = { .text = "no route to host" };

	return smtpd__site_feedback_report(
	    w->schedule, site, feedback, &why, w->now)
	    .resumes_at;
}

static void
connections_grow_with_success(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	uint32_t limit = 2;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	job = world_mail(&w, "a.example");
	assert_ptr_equal(world_take(&w, &site), job);
	while (limit < 10) {
		for (uint32_t i = 0; i < limit; i++) {
			assert_int_equal(world_site_info(job).limit, limit);
			assert_int_equal(report(&w, site, SMTPD_SITE_FINE), 0);
		}
		limit++;
	}
	for (int i = 0; i < 100; i++)
		report(&w, site, SMTPD_SITE_FINE);
	assert_int_equal(world_site_info(job).limit, 10);
	world_sent(&w, job, site);
	world_end(&w);
}

static void
connections_shrink_with_trouble(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, 100);
	job = world_mail(&w, "a.example");
	assert_ptr_equal(world_take(&w, &site), job);
	for (int i = 0; i < 44; i++)
		report(&w, site, SMTPD_SITE_FINE);
	for (uint32_t limit = 10; limit > 1; limit--) {
		assert_int_equal(world_site_info(job).limit, limit);
		assert_int_equal(report(&w, site, SMTPD_SITE_BUSY), w.now);
	}
	assert_int_equal(world_site_info(job).limit, 1);
	assert_int_equal(world_site_info(job).resumes_at, 0);
	assert_null(world_site_info(job).why);

	/* It does not take even one. */
	resumes_at = report(&w, site, SMTPD_SITE_BUSY);
	assert_about(resumes_at - w.now, 5 * MINUTE);
	assert_int_equal(world_site_info(job).resumes_at, resumes_at);
	assert_string_equal(world_site_info(job).why->text, "no route to host");
	world_sent(&w, job, site);
	world_end(&w);
}

static void
successes_are_counted_in_a_row(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	job = world_mail(&w, "a.example");
	assert_ptr_equal(world_take(&w, &site), job);
	report(&w, site, SMTPD_SITE_FINE);
	report(&w, site, SMTPD_SITE_FINE);
	report(&w, site, SMTPD_SITE_FINE);
	report(&w, site, SMTPD_SITE_FINE);
	report(&w, site, SMTPD_SITE_BUSY);
	assert_int_equal(world_site_info(job).limit, 2);
	report(&w, site, SMTPD_SITE_FINE);
	assert_int_equal(world_site_info(job).limit, 2);
	report(&w, site, SMTPD_SITE_FINE);
	assert_int_equal(world_site_info(job).limit, 3);
	world_sent(&w, job, site);
	world_end(&w);
}

static void
a_dead_site_is_closed_for_longer_each_time(void **state)
{
	static const uint32_t minutes[] = { 5, 10, 20, 40, 80, 120, 120, 120 };

	(void)state;
	for (size_t e = 0; e < LENGTH(world_epochs); e++) {
		struct smtpd_delivery_job *job = NULL;
		struct smtpd_site *site;
		struct world w;

		world_begin(&w, NULL, world_epochs[e]);
		world_mail_many(&w, "dead.example", 10);
		for (size_t i = 0; i < LENGTH(minutes); i++) {
			uint32_t resumes_at;

			job = world_take(&w, &site);
			resumes_at = report(&w, site, SMTPD_SITE_DOWN);
			assert_about(resumes_at - w.now, minutes[i] * MINUTE);
			assert_int_equal(world_site_info(job).failures, i + 1);
			world_finish(&w, job);
			smtpd__schedule_leave(w.schedule, site, w.now);
			w.now = resumes_at - 1;
			world_take_none(&w);
			w.now = resumes_at;
			assert_int_equal(
			    smtpd__schedule_next_time(w.schedule, w.now),
			    w.now);
		}
		job = world_take(&w, &site);
		report(&w, site, SMTPD_SITE_FINE);
		assert_int_equal(world_site_info(job).failures, 0);
		assert_null(world_site_info(job).why);
		assert_about(
		    report(&w, site, SMTPD_SITE_DOWN) - w.now, 5 * MINUTE);
		world_finish(&w, job);
		smtpd__schedule_leave(w.schedule, site, w.now);
		world_end(&w);
	}
}

static void
failures_at_the_same_time_are_one(void **state)
{
	struct smtpd_site *site, *again;
	struct smtpd_delivery_job *a, *b, *probe;
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "dead.example", 10);
	a = world_take(&w, &site);
	b = world_take(&w, &again);
	assert_ptr_equal(site, again);
	resumes_at = report(&w, site, SMTPD_SITE_DOWN);
	w.now = 30;
	assert_int_equal(report(&w, site, SMTPD_SITE_DOWN), resumes_at);
	assert_int_equal(report(&w, site, SMTPD_SITE_BUSY), resumes_at);
	assert_int_equal(world_site_info(a).failures, 1);
	world_finish(&w, a);
	smtpd__schedule_leave(w.schedule, site, w.now);

	/* One that takes longer than the site is suspended tells nothing new
	 * either; and it is in the way of the probe. */
	w.now = resumes_at + 1;
	world_take_none(&w);
	assert_int_equal(report(&w, site, SMTPD_SITE_DOWN), w.now);
	assert_int_equal(world_site_info(b).failures, 1);
	world_finish(&w, b);
	smtpd__schedule_leave(w.schedule, site, w.now);
	probe = world_take(&w, &site);
	assert_about(report(&w, site, SMTPD_SITE_DOWN) - w.now, 10 * MINUTE);
	world_finish(&w, probe);
	smtpd__schedule_leave(w.schedule, site, w.now);
	world_end(&w);
}

static void
one_connection_probes_until_all_is_fine(void **state)
{
	struct smtpd_site *site, *second;
	struct smtpd_delivery_job *probe, *more;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "dead.example", 10);
	w.now = world_suspend(&w);
	probe = world_take(&w, &site);
	world_take_none(&w);
	assert_false(smtpd__schedule_needs_worker(w.schedule, w.now));

	/* It says nothing, as its message was not tried: so the next does. */
	smtpd__schedule_put_back(w.schedule, probe, w.now);
	smtpd__schedule_leave(w.schedule, site, w.now);
	assert_ptr_equal(world_take(&w, &site), probe);
	world_take_none(&w);
	report(&w, site, SMTPD_SITE_FINE);
	assert_int_equal(world_site_info(probe).limit, 2);
	assert_int_equal(world_site_info(probe).resumes_at, 0);
	more = world_take(&w, &second);
	assert_ptr_equal(second, site);
	world_take_none(&w);
	world_sent(&w, probe, site);
	world_sent(&w, more, site);
	world_end(&w);
}

static void
a_closed_site_gives_no_more(void **state)
{
	struct smtpd_site *site, *second;
	struct smtpd_delivery_job *a, *b;
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "a.example", 10);
	a = world_take(&w, &site);
	b = world_take(&w, &second);
	resumes_at = report(&w, site, SMTPD_SITE_DOWN);
	assert_null(smtpd__schedule_take_more(w.schedule, w.now, site));

	/* Two connections are too many for a probe, one is not. */
	w.now = resumes_at;
	assert_null(smtpd__schedule_take_more(w.schedule, w.now, site));
	smtpd__schedule_leave(w.schedule, site, w.now);
	world_finish(&w, a);
	a = smtpd__schedule_take_more(w.schedule, w.now, site);
	assert_non_null(a);
	world_take_none(&w);
	assert_about(report(&w, site, SMTPD_SITE_DOWN) - w.now, 10 * MINUTE);

	/* Who still sessions with it knows better. */
	report(&w, site, SMTPD_SITE_FINE);
	assert_int_equal(world_site_info(a).failures, 0);
	world_finish(&w, b);
	world_sent(&w, a, site);
	world_end(&w);
}

static void
ten_thousand_to_a_dead_site_cost_one_attempt_each_time(void **state)
{
	unsigned probes = 0, closings = 0;
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;
	uint32_t resumes_at = 0;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "dead.example", 10000);
	for (w.now = 0; w.now < DAY; w.now += 20) {
		struct smtpd_delivery_job *live =
		    world_mail(&w, "live.example");

		if (w.now >= resumes_at)
			closings++;
		for (;;) {
			job = smtpd__schedule_take(w.schedule, w.now, &site);
			if (job == NULL)
				break;
			if (job == live) {
				live = NULL;
				world_sent(&w, job, site);
				continue;
			}
			probes++;
			world_defer(&w, job, site, SMTPD_SITE_DOWN);
			resumes_at = world_site_info(job).resumes_at;
			assert_true(resumes_at > w.now);
		}
		assert_null(live);
	}
	assert_int_equal(probes, closings);
	assert_in_range(probes, 15, 19);
	world_end(&w);
}

static void
a_live_site_is_served_at_once_beside_a_dead_one(void **state)
{
	struct smtpd_site *dead[2], *site;
	struct smtpd_delivery_job *stuck[2], *job;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "dead.example", 10000);
	stuck[0] = world_take(&w, &dead[0]);
	stuck[1] = world_take(&w, &dead[1]);
	world_take_none(&w);
	for (int i = 0; i < 100; i++) {
		job = world_mail(&w, "live.example");
		assert_ptr_equal(world_take(&w, &site), job);
		world_sent(&w, job, site);
	}
	world_defer(&w, stuck[0], dead[0], SMTPD_SITE_DOWN);
	world_defer(&w, stuck[1], dead[1], SMTPD_SITE_DOWN);
	job = world_mail(&w, "live.example");
	assert_ptr_equal(world_take(&w, &site), job);
	world_take_none(&w);
	world_sent(&w, job, site);
	world_end(&w);
}

static void
flush_opens_a_site_for_a_probe(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job, *waits;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	waits = world_mail(&w, "dead.example");
	world_mail_many(&w, "dead.example", 3);
	world_suspend(&w);
	assert_int_equal(waits->state, SMTPD_JOB_LATER);
	w.now = 10;
	world_take_none(&w);
	smtpd__schedule_flush(w.schedule, waits, w.now);
	assert_int_equal(waits->state, SMTPD_JOB_READY);
	assert_int_equal(world_site_info(waits).resumes_at, 0);
	assert_int_equal(world_site_info(waits).failures, 1);
	job = world_take(&w, &site);
	world_take_none(&w);
	assert_about(report(&w, site, SMTPD_SITE_DOWN) - w.now, 10 * MINUTE);
	world_finish(&w, job);
	smtpd__schedule_leave(w.schedule, site, w.now);
	world_end(&w);
}

/* S14: new mail probes a site that has been suspended for long. */
static void
new_mail_probes_a_site_after_the_shortest_wait(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *old, *new;
	struct world w;
	uint32_t resumes_at = 0, probed_at = 0;

	(void)state;
	world_begin(&w, NULL, 0);
	old = world_mail(&w, "dead.example");
	for (int i = 0; i < 6; i++) {
		w.now = resumes_at > old->due ? resumes_at : old->due;
		world_take(&w, &site);
		probed_at = w.now;
		world_defer(&w, old, site, SMTPD_SITE_DOWN);
		resumes_at = world_site_info(old).resumes_at;
	}
	assert_true(resumes_at > w.now + HOUR);
	w.now = probed_at + MINUTE;
	new = world_mail(&w, "dead.example");
	world_take_none(&w);
	assert_int_equal(
	    world_site_info(new).resumes_at, probed_at + 5 * MINUTE);
	w.now = probed_at + 5 * MINUTE;
	assert_ptr_equal(world_take(&w, &site), new);
	world_defer(&w, new, site, SMTPD_SITE_DOWN);
	assert_true(world_site_info(old).resumes_at > w.now + HOUR);

	/* At once, if that is over already. */
	w.now += 30 * MINUTE;
	new = world_mail(&w, "dead.example");
	assert_ptr_equal(world_take(&w, &site), new);
	world_sent(&w, new, site);
	world_end(&w);
}

/* S14: trouble of our own closes no site, nor does it open one. */
static void
trouble_of_our_own_changes_no_site(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, 0);
	job = world_mail(&w, "a.example");
	assert_ptr_equal(world_take(&w, &site), job);
	assert_int_equal(report(&w, site, SMTPD_SITE_UNTOLD), w.now);
	assert_int_equal(world_site_info(job).resumes_at, 0);
	resumes_at = report(&w, site, SMTPD_SITE_DOWN);
	assert_int_equal(report(&w, site, SMTPD_SITE_UNTOLD), resumes_at);
	assert_int_equal(world_site_info(job).failures, 1);
	world_sent(&w, job, site);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_grow_with_success),
		cmocka_unit_test(connections_shrink_with_trouble),
		cmocka_unit_test(successes_are_counted_in_a_row),
		cmocka_unit_test(a_dead_site_is_closed_for_longer_each_time),
		cmocka_unit_test(failures_at_the_same_time_are_one),
		cmocka_unit_test(one_connection_probes_until_all_is_fine),
		cmocka_unit_test(a_closed_site_gives_no_more),
		cmocka_unit_test(
		    ten_thousand_to_a_dead_site_cost_one_attempt_each_time),
		cmocka_unit_test(
		    a_live_site_is_served_at_once_beside_a_dead_one),
		cmocka_unit_test(flush_opens_a_site_for_a_probe),
		cmocka_unit_test(
		    new_mail_probes_a_site_after_the_shortest_wait),
		cmocka_unit_test(trouble_of_our_own_changes_no_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
