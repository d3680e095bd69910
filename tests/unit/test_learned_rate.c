/* SPDX-License-Identifier: MIT */
#include "queue/schedule/learned_rate.h"

#include <string.h>

#include "queue/schedule/spacing.h"

#include "test.h"

#define SECOND SMTPD_SPACING_SECOND_US
#define MAX_S  300

/* COUNT messages are taken at NOW. */
static void
accept_many(struct smtpd_learned_rate *l, uint32_t now, uint32_t count)
{
	while (count-- > 0)
		smtpd__learned_rate_accept(l, now);
}

static bool
sign(struct smtpd_learned_rate *l, uint32_t now)
{
	return smtpd__learned_rate_sign(l, SMTPD_THROTTLE_SURE, now, MAX_S);
}

static void
nothing_is_learned_from_success(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	for (uint32_t now = 0; now < 1000; now++)
		assert_false(smtpd__learned_rate_accept(&l, now));
	assert_int_equal(smtpd__learned_rate_interval(&l), 0);
	assert_int_equal(smtpd__learned_rate_end(&l), 0);
}

/* What one episode teaches: so many taken, the sign, the probe that is taken.
 */
static void
the_rate_is_what_was_taken_by_the_time_it_took(void **state)
{
	static const struct {
		uint32_t accepted, seconds, resumed;
		uint64_t us;
	} cases[] = {
		{ 10, 0, 1, SECOND / 10 },
		{ 60, 0, 60, SECOND },
		{ 100, 0, 3600, 36 * SECOND },
		{ 1, 0, 7, 7 * SECOND },
		{ 0, 0, 5, 5 * SECOND },
		{ 40, 19, 20, SECOND / 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_learned_rate l = { 0 };
		uint32_t start = 5000;

		for (uint32_t n = 0; n < cases[i].accepted; n++)
			smtpd__learned_rate_accept(&l,
			    start + n * cases[i].seconds / cases[i].accepted);
		assert_true(sign(&l, start + cases[i].seconds));
		assert_int_equal(smtpd__learned_rate_interval(&l), SECOND);
		assert_true(
		    smtpd__learned_rate_accept(&l, start + cases[i].resumed));
		assert_int_equal(smtpd__learned_rate_interval(&l), cases[i].us);
		assert_int_equal(l.pause_s, 0);
	}
}

static void
probes_come_at_growing_distances(void **state)
{
	static const uint32_t pauses[] = { 1, 2, 3, 5, 7, 10, 14, 19, 26, 35,
		47, 63, 85, 114, 153, 205, 274, 300, 300 };
	struct smtpd_learned_rate l = { 0 };
	uint32_t now = 100;

	(void)state;
	for (size_t i = 0; i < COUNT(pauses); i++) {
		assert_true(sign(&l, now));
		assert_int_equal(l.probe_at - now, pauses[i]);
		now = l.probe_at;
	}
}

static void
what_was_under_way_says_nothing_new(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	accept_many(&l, 100, 20);
	assert_true(sign(&l, 100));
	assert_false(sign(&l, 100));
	assert_false(smtpd__learned_rate_accept(&l, 100));
	assert_true(sign(&l, 101));
	assert_false(sign(&l, 102));
	assert_false(smtpd__learned_rate_accept(&l, 102));
	/* It counts as taken, though. */
	assert_true(smtpd__learned_rate_accept(&l, 103));
	assert_int_equal(smtpd__learned_rate_interval(&l), 3 * SECOND / 22);
}

static bool
likely(struct smtpd_learned_rate *l, uint32_t now)
{
	return smtpd__learned_rate_sign(l, SMTPD_THROTTLE_LIKELY, now, MAX_S);
}

static void
likely_signs_need_a_run(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	assert_false(likely(&l, 100));
	assert_false(likely(&l, 100));
	accept_many(&l, 100, 4);
	assert_false(likely(&l, 100));
	assert_false(likely(&l, 100));
	accept_many(&l, 101, 1);
	/* Too long ago. */
	assert_false(likely(&l, 104));
	assert_false(likely(&l, 104));
	accept_many(&l, 105, 5);
	assert_false(likely(&l, 107));
	assert_true(likely(&l, 107));
	/* A probe needs one. */
	assert_true(likely(&l, 108));
	/* And so two are enough where a rate is known. */
	accept_many(&l, 110, 1);
	assert_false(likely(&l, 500));
	assert_true(likely(&l, 500));
	assert_false(
	    smtpd__learned_rate_sign(&l, SMTPD_THROTTLE_NONE, 900, MAX_S));
}

/* A receiver that has something against single messages is not slowed down. */
static void
likely_signs_must_come_in_a_row(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	for (uint32_t now = 100; now < 200; now++) {
		accept_many(&l, now, 5);
		assert_false(likely(&l, now));
	}
	assert_int_equal(smtpd__learned_rate_interval(&l), 0);
}

static void
silence_is_no_part_of_a_rate(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	accept_many(&l, 100, 1);
	accept_many(&l, 5000, 10);
	assert_true(sign(&l, 5000));
	smtpd__learned_rate_accept(&l, 5001);
	assert_int_equal(smtpd__learned_rate_interval(&l), SECOND / 10);
}

static void
what_is_long_ago_counts_less(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	/* An hour of one each second, and then ten times as many. */
	for (uint32_t now = 0; now < 3600; now++)
		accept_many(&l, now, 1);
	for (uint32_t now = 3600; now < 3660; now++)
		accept_many(&l, now, 10);
	assert_true(sign(&l, 3660));
	smtpd__learned_rate_accept(&l, 3661);
	assert_in_range(
	    smtpd__learned_rate_interval(&l), SECOND / 10, SECOND / 5);
}

static void
a_rate_that_holds_mail_up_is_raised(void **state)
{
	struct smtpd_learned_rate l = { 0 };
	uint64_t before;

	(void)state;
	accept_many(&l, 100, 10);
	sign(&l, 100);
	accept_many(&l, 101, 1);
	before = l.interval_us;
	accept_many(&l, 101, 29);
	assert_int_equal(l.interval_us, before);
	accept_many(&l, 102, 100);
	assert_int_equal(l.interval_us, before);
	l.holds = true;
	accept_many(&l, 102, 1);
	assert_int_equal(l.interval_us, before * 10 / 11);
	l.holds = true;
	accept_many(&l, 103, 30);
	assert_int_equal(l.interval_us, before * 10 / 11 * 10 / 12);
}

static void
a_rate_is_forgotten_an_hour_after_the_last_sign(void **state)
{
	struct smtpd_learned_rate l = { 0 };

	(void)state;
	sign(&l, 100);
	assert_int_equal(smtpd__learned_rate_end(&l), 3700);
	sign(&l, 101);
	accept_many(&l, 110, 1);
	assert_int_equal(smtpd__learned_rate_end(&l), 3701);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_learned_from_success),
		cmocka_unit_test(
		    the_rate_is_what_was_taken_by_the_time_it_took),
		cmocka_unit_test(probes_come_at_growing_distances),
		cmocka_unit_test(what_was_under_way_says_nothing_new),
		cmocka_unit_test(likely_signs_need_a_run),
		cmocka_unit_test(likely_signs_must_come_in_a_row),
		cmocka_unit_test(silence_is_no_part_of_a_rate),
		cmocka_unit_test(what_is_long_ago_counts_less),
		cmocka_unit_test(a_rate_that_holds_mail_up_is_raised),
		cmocka_unit_test(
		    a_rate_is_forgotten_an_hour_after_the_last_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
