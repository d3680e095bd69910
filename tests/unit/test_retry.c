/* SPDX-License-Identifier: MIT */

#include <stdbool.h>

#include "queue/schedule/retry.h"

#include "test.h"

#define MIN       300u
#define MAX       7200u
#define HOUR      3600u
#define DAY       86400u
#define LAST      (UINT32_MAX - 1)
#define NULL_FROM SMTPD_MESSAGE_NULL_SENDER

/* The random number that makes a wait neither longer nor shorter. */
#define MIDDLE(delay) ((delay) / 10)

static const struct smtpd_retry_rules defaults = {
	.min = MIN,
	.max = MAX,
	.lifetime = 5 * DAY,
	.bounce_lifetime = 2 * DAY,
	.delay_notice = 4 * HOUR,
};

/* RFC 5321, 4.5.4.1 */
static void
a_wait_doubles_between_its_bounds(void **state)
{
	static const struct {
		uint64_t min, max;
		uint32_t failures;
		uint64_t wait;
	} cases[] = {
		/* A message, and a site. */
		{ 300, 7200, 0, 300 },
		{ 300, 7200, 1, 300 },
		{ 300, 7200, 2, 600 },
		{ 300, 7200, 3, 1200 },
		{ 300, 7200, 4, 2400 },
		{ 300, 7200, 5, 4800 },
		{ 300, 7200, 6, 7200 },
		{ 300, 7200, 31, 7200 },
		{ 300, 7200, 32, 7200 },
		{ 300, 7200, 33, 7200 },
		{ 300, 7200, 65, 7200 },
		{ 300, 7200, UINT32_MAX, 7200 },
		{ UINT32_MAX, UINT32_MAX, 32, UINT32_MAX },
		{ 1, UINT32_MAX, 32, UINT32_C(1) << 31 },
		{ 1, 1, 9, 1 },
		/* A host, in milliseconds. */
		{ 60000, 3600000, 1, 60000 },
		{ 60000, 3600000, 6, 1920000 },
		{ 60000, 3600000, 7, 3600000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_retry_bounds b = {
			.min = cases[i].min,
			.max = cases[i].max,
		};
		uint64_t wait = cases[i].wait;

		for (uint64_t random = 0; random < 3; random++)
			assert_int_equal(
			    smtpd__retry_backoff(&b, cases[i].failures, random),
			    wait);
		b.jitter = true;
		assert_int_equal(
		    smtpd__retry_backoff(&b, cases[i].failures, MIDDLE(wait)),
		    wait);
	}
}

static void
chance_spreads_a_wait_over_a_tenth_either_way(void **state)
{
	const struct smtpd_retry_bounds b = { 300, 7200, true };

	(void)state;
	for (uint64_t random = 0; random < 200; random++)
		assert_int_equal(
		    smtpd__retry_backoff(&b, 1, random), 270 + random % 61);
}

static void
moments_do_not_wrap(void **state)
{
	(void)state;
	assert_int_equal(smtpd__retry_after(5, 6), 11);
	assert_int_equal(smtpd__retry_after(0, LAST), LAST);
	assert_int_equal(smtpd__retry_after(1, LAST), LAST);
	assert_int_equal(smtpd__retry_after(LAST, 1), LAST);
	assert_int_equal(smtpd__retry_after(5, UINT64_MAX), LAST);
	assert_int_equal(smtpd__retry_after(UINT32_MAX, 0), LAST);
}

/* One decision; the message arrived at 1000, and what is not said is 0. */
struct decision {
	const char *what;
	uint32_t age;
	uint16_t attempts;
	uint32_t due;          /* before; after 1000 */
	uint32_t site_resumes; /* after now; 0: it is not suspended */
	unsigned flags;
	bool tried, cancelled, in_doubt, held, sent;

	/* What it must be: the next time after now, or as it was. */
	uint16_t next_attempts;
	uint32_t wait;
	bool as_before;
	bool expired, notice;
};

/* RFC 5321, 4.5.4.1 */
static void
each_case_has_its_decision(void **state)
{
	static const struct decision cases[] = {
		{ .what = "first attempt failed",
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN },
		{ .what = "third attempt failed",
		    .age = HOUR,
		    .attempts = 2,
		    .tried = true,
		    .next_attempts = 3,
		    .wait = 4 * MIN },
		{ .what = "many attempts failed",
		    .age = HOUR,
		    .attempts = UINT16_MAX,
		    .tried = true,
		    .next_attempts = UINT16_MAX,
		    .wait = MAX },
		{ .what = "not tried: it stays due when it was",
		    .age = HOUR,
		    .attempts = 3,
		    .due = 2 * HOUR,
		    .next_attempts = 3,
		    .as_before = true },
		{ .what = "cancelled: the same",
		    .age = HOUR,
		    .due = 10,
		    .cancelled = true,
		    .as_before = true },
		{ .what = "in doubt: six times the minimum at least",
		    .tried = true,
		    .in_doubt = true,
		    .next_attempts = 1,
		    .wait = 6 * MIN },
		{ .what = "in doubt, and more failures",
		    .attempts = 9,
		    .tried = true,
		    .in_doubt = true,
		    .next_attempts = 10,
		    .wait = MAX },
		{ .what = "in doubt, and cancelled: it waits, uncounted",
		    .cancelled = true,
		    .in_doubt = true,
		    .wait = 6 * MIN },
		{ .what = "the site is suspended for longer",
		    .tried = true,
		    .site_resumes = HOUR,
		    .next_attempts = 1,
		    .wait = HOUR },
		{ .what = "the site is suspended for a shorter time",
		    .attempts = 5,
		    .tried = true,
		    .site_resumes = 10,
		    .next_attempts = 6,
		    .wait = MAX },
		{ .what = "suspended beyond the end of life",
		    .age = 5 * DAY - 100,
		    .tried = true,
		    .sent = true,
		    .site_resumes = HOUR,
		    .next_attempts = 1,
		    .wait = 100 },
		{ .what = "the last attempt is at the end of life",
		    .age = 5 * DAY - 100,
		    .attempts = 70,
		    .tried = true,
		    .sent = true,
		    .next_attempts = 71,
		    .wait = 100 },
		{ .what = "in doubt near the end of life",
		    .age = 5 * DAY - 100,
		    .tried = true,
		    .in_doubt = true,
		    .sent = true,
		    .next_attempts = 1,
		    .wait = 100 },
		{ .what = "the last attempt failed",
		    .age = 5 * DAY,
		    .attempts = 71,
		    .tried = true,
		    .next_attempts = 72,
		    .wait = MIN,
		    .expired = true },
		{ .what = "expired while its site was suspended",
		    .age = 6 * DAY,
		    .next_attempts = 0,
		    .due = 7,
		    .as_before = true,
		    .expired = true },
		{ .what = "cancelled at its end: it does not expire",
		    .age = 6 * DAY,
		    .due = 7,
		    .cancelled = true,
		    .as_before = true },
		{ .what = "a bounce lives shorter",
		    .age = 2 * DAY,
		    .flags = NULL_FROM,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN,
		    .expired = true },
		{ .what = "a bounce, a second before",
		    .age = 2 * DAY - 1,
		    .flags = NULL_FROM,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = 1 },
		{ .what = "delay notice, a second before",
		    .age = 4 * HOUR - 1,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN },
		{ .what = "delay notice",
		    .age = 4 * HOUR,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN,
		    .notice = true },
		{ .what = "delay notice, just before the end",
		    .age = 5 * DAY - 1,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = 1,
		    .notice = true },
		{ .what = "delay notice of a suspended site",
		    .age = 4 * HOUR,
		    .due = 9,
		    .as_before = true,
		    .notice = true },
		{ .what = "delay notice was sent",
		    .age = 4 * HOUR,
		    .tried = true,
		    .sent = true,
		    .next_attempts = 1,
		    .wait = MIN },
		{ .what = "no delay notice when cancelled",
		    .age = 4 * HOUR,
		    .due = 9,
		    .cancelled = true,
		    .as_before = true },
		{ .what = "no delay notice of a bounce",
		    .age = 4 * HOUR,
		    .flags = NULL_FROM,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN },
		{ .what = "no delay notice of automatic mail",
		    .age = 4 * HOUR,
		    .flags = SMTPD_MESSAGE_AUTOMATIC,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN },
		{ .what = "a login failed",
		    .age = 5 * DAY,
		    .attempts = 1,
		    .tried = true,
		    .held = true,
		    .sent = true,
		    .next_attempts = 2,
		    .wait = 2 * MIN },
		{ .what = "it waits for the login at the end of its life",
		    .age = 5 * DAY,
		    .attempts = 1,
		    .held = true,
		    .sent = true,
		    .next_attempts = 1,
		    .wait = MIN },
		{ .what = "it waits for the login before",
		    .age = HOUR,
		    .due = 30,
		    .attempts = 1,
		    .held = true,
		    .next_attempts = 1,
		    .as_before = true },
		{ .what = "other flags do not matter",
		    .age = 4 * HOUR,
		    .flags = SMTPD_MESSAGE_UTF8,
		    .tried = true,
		    .next_attempts = 1,
		    .wait = MIN,
		    .notice = true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct decision *c = &cases[i];
		uint32_t now = 1000 + c->age;
		struct smtpd_retry_facts f = {
			.now = now,
			.arrived = 1000,
			.due = 1000 + c->due,
			.attempts = c->attempts,
			.flags = c->flags,
			.tried = c->tried,
			.cancelled = c->cancelled,
			.in_doubt = c->in_doubt,
			.held = c->held,
			.delay_notice_sent = c->sent,
		};
		struct smtpd_retry_bounds b = { MIN, MAX, false };
		uint64_t wait = smtpd__retry_backoff(&b, c->next_attempts, 0);
		struct smtpd_retry r;

		f.site_resumes_at =
		    c->site_resumes != 0 ? now + c->site_resumes : 0;
		r = smtpd__retry_decide(&defaults, &f, MIDDLE(wait));
		if (r.attempts != c->next_attempts || r.expired != c->expired ||
		    r.due != (c->as_before ? f.due : now + c->wait) ||
		    r.wants_delay_notice != c->notice)
			fail_msg("%s: attempts %u, due %d, %d %d", c->what,
			    r.attempts, (int)(r.due - now), r.expired,
			    r.wants_delay_notice);
	}
}

static void
life_may_last_for_ever(void **state)
{
	const struct smtpd_retry_rules rules = {
		.min = MIN,
		.max = MAX,
		.lifetime = SMTPD_TIME_NONE,
		.bounce_lifetime = SMTPD_TIME_NONE,
		.delay_notice = SMTPD_TIME_NONE,
	};
	struct smtpd_retry_facts f = { .now = LAST, .tried = true };
	struct smtpd_retry r = smtpd__retry_decide(&rules, &f, 0);

	(void)state;
	assert_int_equal(r.expiry, SMTPD_TIME_NONE);
	assert_int_equal(r.due, LAST);
	assert_false(r.expired);
	assert_false(r.wants_delay_notice);
	assert_int_equal(
	    smtpd__retry_expiry(&rules, 1, NULL_FROM), SMTPD_TIME_NONE);
	assert_int_equal(smtpd__retry_expiry(&defaults, LAST - 5, 0), LAST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_doubles_between_its_bounds),
		cmocka_unit_test(chance_spreads_a_wait_over_a_tenth_either_way),
		cmocka_unit_test(moments_do_not_wrap),
		cmocka_unit_test(each_case_has_its_decision),
		cmocka_unit_test(life_may_last_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
