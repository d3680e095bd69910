/* SPDX-License-Identifier: MIT */

#include "queue/schedule/shaping.h"

#include <stdbool.h>
#include <stdio.h>

#include "queue/schedule/site.h"
#include "queue/schedule/spacing.h"
#include "queue/schedule/state.h"
#include "schedule_fixture.h"

#include "test.h"

#define SITE "mx1.example,mx2.example"

/* Go with JOB, for which *SITE was taken, to the shared site, and give it
 * LIMITS as an attempt does.  Return false if it was put back. */
static bool
enter(struct world *w, struct smtpd_delivery_job *job,
    const struct smtpd_shaping_limits *limits, struct smtpd_site **site)
{
	bool entered = smtpd__destination_bind(
	    w->schedule, job->destination, SITE, w->now, site);

	if (entered)
		smtpd__shaping_limit(w->schedule, *site, limits, w->now);
	else
		smtpd__schedule_put_back(w->schedule, job, w->now);
	world_check(w);
	return entered;
}

/* Send as many of the messages as there may be at once, each over a connection
 * of its own.  Return how many were. */
static uint32_t
send_all(struct world *w, const struct smtpd_shaping_limits *limits)
{
	struct smtpd_delivery_job *job;
	struct smtpd_site *site;
	uint32_t n = 0;

	while (
	    (job = smtpd__schedule_take(w->schedule, w->now, &site)) != NULL) {
		if (!enter(w, job, limits, &site))
			continue;
		world_sent(w, job, site);
		n++;
	}
	return n;
}

static void
a_site_gets_no_more_messages_than_its_rate(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.message_us = smtpd__spacing_interval(5, 1),
	};

	(void)state;
	for (size_t e = 0; e < COUNT(world_epochs); e++) {
		struct world w;

		world_begin(&w, NULL, world_epochs[e]);
		world_mail_many(&w, "a.example", 40);
		for (int i = 0; i < 4; i++, w.now++) {
			assert_int_equal(send_all(&w, &limits), 5);
			/* It is told when to come again. */
			assert_int_equal(
			    smtpd__schedule_next_time(w.schedule, w.now),
			    w.now + 1);
		}
		world_end(&w);
	}
}

/* Domains that share their hosts share the rate, also those that nobody has
 * looked up before. */
static void
domains_of_one_site_share_its_rate(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.message_us = smtpd__spacing_interval(1, 2),
	};
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	world_mail(&w, "a.example");
	world_mail(&w, "b.example");
	world_mail(&w, "c.example");
	for (int i = 0; i < 6; i++, w.now++)
		assert_int_equal(send_all(&w, &limits), i % 2 == 0);
	world_end(&w);
}

/* Begin W with COUNT messages for one site, whose connection has the first of
 * them under LIMITS.  Return that. */
static struct smtpd_delivery_job *
begin_site(struct world *w, unsigned count,
    const struct smtpd_shaping_limits *limits, struct smtpd_site **site)
{
	struct smtpd_delivery_job *job;

	world_begin(w, NULL, 1000);
	world_mail_many(w, "a.example", count);
	job = world_take(w, site);
	assert_true(enter(w, job, limits, site));
	return job;
}

/* The rate is kept when each message is the last one for a moment. */
static void
a_rate_outlives_the_mail(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.message_us = smtpd__spacing_interval(1, 60),
	};
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	world_mail(&w, "a.example");
	assert_int_equal(send_all(&w, &limits), 1);
	world_mail(&w, "a.example");
	assert_int_equal(send_all(&w, &limits), 0);
	w.now += 59;
	assert_int_equal(send_all(&w, &limits), 0);
	w.now += 1;
	assert_int_equal(send_all(&w, &limits), 1);
	/* It is forgotten when that makes no difference. */
	assert_int_equal(w.schedule->nsites, 1);
	w.now += 60;
	assert_int_equal(send_all(&w, &limits), 0);
	assert_int_equal(w.schedule->nsites, 0);
	world_end(&w);
}

static void
a_connection_keeps_to_the_rate(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.message_us = smtpd__spacing_interval(2, 1),
	};
	struct smtpd_delivery_job *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	job = begin_site(&w, 10, &limits, &site);
	for (int second = 0; second < 3; second++, w.now++) {
		int n = second == 0;

		while (smtpd__schedule_has_more(w.schedule, w.now, site)) {
			world_finish(&w, job);
			job =
			    smtpd__schedule_take_more(w.schedule, w.now, site);
			assert_non_null(job);
			n++;
		}
		assert_null(smtpd__schedule_take_more(w.schedule, w.now, site));
		assert_int_equal(n, 2);
	}
	world_sent(&w, job, site);
	world_end(&w);
}

static void
new_connections_have_a_rate_of_their_own(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.connection_us = smtpd__spacing_interval(1, 3),
	};
	struct smtpd_delivery_job *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	job = begin_site(&w, 10, &limits, &site);
	world_take_none(&w);
	/* The one that is open goes on. */
	for (int i = 0; i < 4; i++) {
		world_finish(&w, job);
		job = smtpd__schedule_take_more(w.schedule, w.now, site);
		assert_non_null(job);
	}
	world_sent(&w, job, site);
	world_take_none(&w);
	w.now += 3;
	assert_int_equal(send_all(&w, &limits), 1);
	world_end(&w);
}

static void
connections_at_a_time_are_limited(void **state)
{
	static const struct {
		uint32_t given, expected;
	} cases[] = { { 1, 1 }, { 3, 3 }, { 14, 14 }, { 40, 40 }, { 100, 64 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_shaping_limits limits = {
			.connections = cases[i].given,
		};
		struct smtpd_delivery_job *job;
		struct smtpd_site *site;
		struct world w;

		world_begin(&w, NULL, 1000);
		job = world_mail(&w, "a.example");
		world_take(&w, &site);
		assert_true(enter(&w, job, &limits, &site));
		for (int n = 0; n < 3000; n++)
			smtpd__site_feedback_report(
			    w.schedule, site, SMTPD_SITE_FINE, NULL, w.now);
		assert_int_equal(world_site_info(job).limit, cases[i].expected);
		world_sent(&w, job, site);
		world_end(&w);
	}
}

/* Transactions of one message, and connections beyond the first, are made up
 * for. */
static void
what_an_attempt_used_is_counted(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.message_us = smtpd__spacing_interval(1, 1),
		.connection_us = smtpd__spacing_interval(1, 5),
	};
	const struct smtpd_shaping_signs signs = {
		.accepted = true,
		.mails = 4,
		.connections = 1,
	};
	struct smtpd_delivery_job *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	job = world_mail(&w, "a.example");
	world_mail(&w, "a.example");
	world_take(&w, &site);
	assert_true(enter(&w, job, &limits, &site));
	smtpd__shaping_learn(w.schedule, site, &signs, w.now);
	world_check(&w);
	/* Five seconds for the connection, four for the transactions. */
	w.now += 4;
	assert_false(smtpd__schedule_has_more(w.schedule, w.now, site));
	assert_null(smtpd__schedule_take_more(w.schedule, w.now, site));
	w.now += 1;
	assert_true(smtpd__schedule_has_more(w.schedule, w.now, site));
	world_sent(&w, job, site);
	w.now += 4;
	world_take_none(&w);
	w.now += 1;
	assert_int_equal(send_all(&w, &limits), 1);
	world_end(&w);
}

static struct smtpd_shaping_info
describe(const struct smtpd_site *site)
{
	struct smtpd_shaping_info info;

	smtpd__shaping_describe(site, &info);
	return info;
}

static void
a_host_that_closes_twice_after_as_many_is_believed(void **state)
{
	const struct smtpd_shaping_limits none = { 0 };
	struct smtpd_shaping_signs signs = { .full_at = 20 };
	struct smtpd_delivery_job *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	job = world_mail(&w, "a.example");
	world_take(&w, &site);
	assert_true(enter(&w, job, &none, &site));
	smtpd__shaping_learn(w.schedule, site, &signs, w.now);
	assert_int_equal(describe(site).full_at, 0);
	signs.full_at = 7;
	smtpd__shaping_learn(w.schedule, site, &signs, w.now);
	assert_int_equal(describe(site).full_at, 0);
	smtpd__shaping_learn(w.schedule, site, &signs, w.now);
	assert_int_equal(describe(site).full_at, 7);
	/* For an hour. */
	w.now += HOUR - 1;
	smtpd__site_resume_due(w.schedule, w.now);
	assert_int_equal(describe(site).full_at, 7);
	w.now += 1;
	smtpd__site_resume_due(w.schedule, w.now);
	assert_int_equal(describe(site).full_at, 0);
	world_sent(&w, job, site);
	world_end(&w);
}

static void
what_a_host_announces_is_shown(void **state)
{
	const struct smtpd_shaping_limits none = { 0 };
	const struct smtpd_shaping_signs signs = {
		.mails_max = 100,
		.rcpts_max = 30,
	};
	struct smtpd_delivery_job *job;
	struct smtpd_site *site;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	job = world_mail(&w, "a.example");
	world_take(&w, &site);
	assert_true(enter(&w, job, &none, &site));
	smtpd__shaping_learn(w.schedule, site, &signs, w.now);
	assert_int_equal(describe(site).mails_max, 100);
	assert_int_equal(describe(site).rcpts_max, 30);
	assert_int_equal(world_site_info(job).shaping.rcpts_max, 30);
	world_sent(&w, job, site);
	world_end(&w);
}

/* A site that is held counts as busy: what waits there expires late. */
static void
a_site_that_is_held_is_busy(void **state)
{
	const struct smtpd_shaping_limits limits = {
		.message_us = smtpd__spacing_interval(1, 7 * DAY),
	};
	struct smtpd_delivery_job *job;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	world_mail_many(&w, "a.example", 2);
	assert_int_equal(send_all(&w, &limits), 1);
	w.now += 4 * HOUR;
	/* A delay is reported. */
	job = smtpd__schedule_overdue(w.schedule, w.now);
	assert_non_null(job);
	job->delay_notice_sent = true;
	smtpd__schedule_put_back(w.schedule, job, w.now);
	w.now = 1000 + 5 * DAY;
	assert_null(smtpd__schedule_overdue(w.schedule, w.now));
	w.now += 2 * HOUR;
	assert_non_null(smtpd__schedule_overdue(w.schedule, w.now));
	world_end(&w);
}

static void
all_shared_sites_are_listed(void **state)
{
	struct smtpd_site_info info[4];
	uint32_t place = 0;
	size_t n = 0, calls = 0;
	struct world w;

	(void)state;
	world_begin(&w, NULL, 1000);
	for (int i = 0; i < 100; i++) {
		char domain[16], name[16];
		struct smtpd_site *site;
		struct smtpd_delivery_job *job;

		snprintf(domain, sizeof(domain), "d%d.example", i);
		snprintf(name, sizeof(name), "mx%d.example", i);
		world_mail(&w, domain);
		job = world_mail(&w, domain);
		world_take(&w, &site);
		assert_true(smtpd__destination_bind(
		    w.schedule, job->destination, name, w.now, &site));
		smtpd__schedule_leave(w.schedule, site, w.now);
	}
	while (place != UINT32_MAX) {
		n += smtpd__destination_list_sites(
		    w.schedule, &place, info, COUNT(info));
		calls++;
	}
	assert_in_range(n, 95, 100);
	assert_in_range(calls, 25, 129);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_gets_no_more_messages_than_its_rate),
		cmocka_unit_test(domains_of_one_site_share_its_rate),
		cmocka_unit_test(a_rate_outlives_the_mail),
		cmocka_unit_test(a_connection_keeps_to_the_rate),
		cmocka_unit_test(new_connections_have_a_rate_of_their_own),
		cmocka_unit_test(connections_at_a_time_are_limited),
		cmocka_unit_test(what_an_attempt_used_is_counted),
		cmocka_unit_test(
		    a_host_that_closes_twice_after_as_many_is_believed),
		cmocka_unit_test(what_a_host_announces_is_shown),
		cmocka_unit_test(a_site_that_is_held_is_busy),
		cmocka_unit_test(all_shared_sites_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
