/* SPDX-License-Identifier: MIT */

#include <stdbool.h>
#include <stdio.h>

#include "queue/schedule/state.h"
#include "schedule_fixture.h"

#include "test.h"

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
destinations_share_a_site_once_they_are_bound(void **state)
{
	struct smtpd_site *sites[4];
	struct smtpd_delivery_job *jobs[4];
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "a.example", 5);
	world_mail_many(&w, "b.example", 5);
	for (int i = 0; i < 4; i++)
		jobs[i] = world_take(&w, &sites[i]);
	world_take_none(&w);
	assert_int_equal(w.schedule->nsites, 2);
	assert_true(smtpd__destination_bind(
	    w.schedule, jobs[0]->destination, "mx", w.now, &sites[0]));
	assert_int_equal(w.schedule->nsites, 3);
	assert_true(smtpd__destination_bind(
	    w.schedule, jobs[1]->destination, "mx", w.now, &sites[1]));
	assert_ptr_equal(sites[0], sites[1]);
	assert_string_equal(world_site_info(jobs[0]).name, "mx");
	assert_int_equal(world_site_info(jobs[0]).connections, 2);
	world_check(&w);

	/* There is no room for the others, and the own sites go with them. */
	for (int i = 2; i < 4; i++) {
		assert_false(smtpd__destination_bind(
		    w.schedule, jobs[i]->destination, "mx", w.now, &sites[i]));
		assert_null(sites[i]);
		smtpd__schedule_put_back(w.schedule, jobs[i], w.now);
	}
	assert_int_equal(w.schedule->nsites, 1);
	assert_ptr_equal(
	    smtpd__destination_site(jobs[2]->destination), sites[0]);
	world_take_none(&w);
	world_sent(&w, jobs[0], sites[0]);
	world_sent(&w, jobs[1], sites[1]);
	for (int i = 0; i < 8; i++) {
		jobs[0] = world_take(&w, &sites[0]);
		assert_true(smtpd__destination_bind(
		    w.schedule, jobs[0]->destination, "mx", w.now, &sites[0]));
		world_sent(&w, jobs[0], sites[0]);
	}
	world_end(&w);
}

static void
a_closed_site_is_not_bound(void **state)
{
	struct smtpd_site *site, *other;
	struct smtpd_delivery_job *a, *a2, *b;
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, 0);
	a = world_mail(&w, "a.example");
	a2 = world_mail(&w, "a.example");
	b = world_mail(&w, "b.example");
	assert_ptr_equal(world_take(&w, &site), a);
	assert_ptr_equal(world_take(&w, &other), b);
	assert_true(smtpd__destination_bind(
	    w.schedule, a->destination, "mx", w.now, &site));
	resumes_at = report(&w, site, SMTPD_SITE_DOWN);
	assert_false(smtpd__destination_bind(
	    w.schedule, b->destination, "mx", w.now, &other));
	assert_null(other);
	smtpd__schedule_put_back(w.schedule, b, w.now);

	/* Not even by who is there already. */
	assert_false(smtpd__destination_bind(
	    w.schedule, a->destination, "mx", w.now, &site));
	world_finish(&w, a);
	world_take_none(&w);
	w.now = resumes_at;
	assert_ptr_equal(world_take(&w, &site), b);
	world_take_none(&w);
	world_sent(&w, b, site);
	assert_ptr_equal(world_take(&w, &site), a2);
	world_sent(&w, a2, site);
	world_end(&w);
}

static void
a_domain_is_not_a_site_of_that_name(void **state)
{
	struct smtpd_site *site, *other;
	struct smtpd_delivery_job *a, *mx;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	a = world_mail(&w, "a.example");
	mx = world_mail(&w, "mx.example.org");
	assert_ptr_equal(world_take(&w, &site), a);
	assert_ptr_equal(world_take(&w, &other), mx);
	assert_true(smtpd__destination_bind(
	    w.schedule, a->destination, "mx.example.org", w.now, &site));
	assert_ptr_not_equal(site, other);
	report(&w, other, SMTPD_SITE_DOWN);
	assert_string_equal(world_site_info(a).name, "mx.example.org");
	assert_string_equal(world_site_info(mx).name, "mx.example.org");
	assert_int_equal(world_site_info(a).failures, 0);
	assert_int_equal(world_site_info(mx).failures, 1);
	world_sent(&w, a, site);
	world_finish(&w, mx);
	smtpd__schedule_leave(w.schedule, other, w.now);
	world_end(&w);
}

static void
trouble_with_one_name_closes_no_shared_site(void **state)
{
	struct smtpd_site *site, *other;
	struct smtpd_delivery_job *a, *b;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail_many(&w, "a.example", 3);
	world_mail_many(&w, "b.example", 3);
	a = world_take(&w, &site);
	b = world_take(&w, &other);
	assert_true(smtpd__destination_bind(
	    w.schedule, a->destination, "mx", w.now, &site));
	assert_true(smtpd__destination_bind(
	    w.schedule, b->destination, "mx", w.now, &other));
	assert_true(smtpd__destination_bind(
	    w.schedule, a->destination, NULL, w.now, &site));
	assert_ptr_not_equal(site, other);
	assert_string_equal(world_site_info(a).name, "a.example");
	world_defer(&w, a, site, SMTPD_SITE_DOWN);
	assert_int_equal(world_site_info(b).failures, 0);
	world_sent(&w, b, other);
	for (int i = 0; i < 2; i++) {
		b = world_take(&w, &other);
		assert_string_equal(
		    smtpd__destination_name(b->destination), "b.example");
		world_sent(&w, b, other);
	}
	world_take_none(&w);

	/* When it can be looked up again, nothing of that is left. */
	w.now = world_site_info(a).resumes_at;
	a = world_take(&w, &site);
	assert_true(smtpd__destination_bind(
	    w.schedule, a->destination, "mx", w.now, &site));
	assert_int_equal(w.schedule->nsites, 1);
	world_sent(&w, a, site);
	world_end(&w);
}

static void
who_is_left_behind_by_a_bind_can_leave(void **state)
{
	struct smtpd_site *first, *second, *third;
	struct smtpd_delivery_job *a, *b, *c;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	a = world_mail(&w, "a.example");
	b = world_mail(&w, "a.example");
	assert_ptr_equal(world_take(&w, &first), a);
	assert_ptr_equal(world_take(&w, &second), b);
	assert_true(smtpd__destination_bind(
	    w.schedule, a->destination, "mx", w.now, &first));
	world_sent(&w, a, first);
	report(&w, second, SMTPD_SITE_DOWN);
	assert_int_equal(world_site_info(b).failures, 0);
	world_finish(&w, b);

	/* The domain is kept with its own site, and found again. */
	world_check(&w);
	c = world_mail(&w, "a.example");
	assert_ptr_equal(smtpd__destination_site(c->destination), second);
	smtpd__schedule_leave(w.schedule, second, w.now);
	world_take_none(&w);
	smtpd__schedule_flush(w.schedule, c, w.now);
	assert_ptr_equal(world_take(&w, &third), c);
	world_sent(&w, c, third);
	world_end(&w);
}

static void
a_closed_site_is_remembered_without_mail(void **state)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;
	uint32_t resumes_at;

	(void)state;
	world_begin(&w, NULL, 0);
	job = world_mail(&w, "own.example");
	assert_ptr_equal(world_take(&w, &site), job);
	resumes_at = report(&w, site, SMTPD_SITE_DOWN);
	world_finish(&w, job);
	smtpd__schedule_leave(w.schedule, site, w.now);
	job = world_mail(&w, "shared.example");
	assert_ptr_equal(world_take(&w, &site), job);
	assert_true(smtpd__destination_bind(
	    w.schedule, job->destination, "mx", w.now, &site));
	report(&w, site, SMTPD_SITE_DOWN);
	world_finish(&w, job);
	smtpd__schedule_leave(w.schedule, site, w.now);
	assert_int_equal(w.schedule->nsites, 2);
	assert_int_equal(w.schedule->destinations.count, 1);
	job = world_mail(&w, "own.example");
	world_take_none(&w);
	assert_int_equal(world_site_info(job).resumes_at, resumes_at);
	world_finish(&w, job);
	w.now = resumes_at + 2 * MINUTE;
	world_take_none(&w);
	assert_int_equal(w.schedule->nsites, 0);
	assert_int_equal(w.schedule->destinations.count, 0);
	assert_int_equal(
	    smtpd__schedule_next_time(w.schedule, w.now), SMTPD_TIME_NONE);
	world_end(&w);
}

static void
many_destinations_are_no_trouble(void **state)
{
	enum {
		COUNT = 100000
	};
	struct smtpd_site *site;
	struct smtpd_delivery_job *job;
	struct world w;
	char name[32];

	(void)state;
	world_begin(&w, NULL, 0);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		world_mail(&w, name);
	}
	for (int i = 0; i < COUNT; i++) {
		job = world_take(&w, &site);
		snprintf(name, sizeof(name), "d%d.example", i);
		assert_string_equal(
		    smtpd__destination_name(job->destination), name);
		world_sent(&w, job, site);
	}
	assert_int_equal(w.schedule->nsites, 0);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destinations_share_a_site_once_they_are_bound),
		cmocka_unit_test(a_closed_site_is_not_bound),
		cmocka_unit_test(a_domain_is_not_a_site_of_that_name),
		cmocka_unit_test(trouble_with_one_name_closes_no_shared_site),
		cmocka_unit_test(who_is_left_behind_by_a_bind_can_leave),
		cmocka_unit_test(a_closed_site_is_remembered_without_mail),
		cmocka_unit_test(many_destinations_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
