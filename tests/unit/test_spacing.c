/* SPDX-License-Identifier: MIT */
#include "queue/schedule/spacing.h"

#include "test.h"

static void
an_interval_is_the_time_over_the_count(void **state)
{
	static const struct {
		uint32_t count, seconds;
		uint64_t us;
	} cases[] = {
		{ 1, 1, 1000000 },
		{ 10, 1, 100000 },
		{ 30, 60, 2000000 },
		{ 100, 3600, 36000000 },
		{ 1000000, 1, 1 },
		{ UINT32_MAX, 1, 1 },
		{ 0, 60, 0 },
		{ 5, 0, 0 },
		{ 1, UINT32_MAX, UINT32_MAX * UINT64_C(1000000) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    smtpd__spacing_interval(cases[i].count, cases[i].seconds),
		    cases[i].us);
}

/* How many may happen from NOW on for SECONDS. */
static uint32_t
use_all(struct smtpd_spacing *s, uint32_t now, uint32_t seconds)
{
	uint32_t n = 0;

	for (uint32_t t = now; t < now + seconds; t++)
		for (; smtpd__spacing_ready(s, t) == t; n++)
			smtpd__spacing_use(s, t, 1);
	return n;
}

static void
no_more_happen_than_the_rate_allows(void **state)
{
	static const struct {
		uint32_t count, seconds, during, expected;
	} cases[] = {
		{ 1, 1, 10, 10 },
		{ 10, 1, 7, 70 },
		{ 3, 2, 10, 15 },
		{ 1, 60, 600, 10 },
		{ 7, 3600, 36000, 70 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_spacing s = {
			.interval_us = smtpd__spacing_interval(
			    cases[i].count, cases[i].seconds),
		};

		assert_in_range(use_all(&s, 1000, cases[i].during),
		    cases[i].expected, cases[i].expected + 1);
	}
}

static void
silence_saves_nothing_up(void **state)
{
	struct smtpd_spacing s = {
		.interval_us = smtpd__spacing_interval(5, 1),
	};

	(void)state;
	assert_int_equal(use_all(&s, 100, 1), 5);
	assert_int_equal(use_all(&s, 10000, 1), 5);
}

static void
what_came_too_early_is_made_up_for(void **state)
{
	struct smtpd_spacing s = {
		.interval_us = smtpd__spacing_interval(1, 1),
	};

	(void)state;
	smtpd__spacing_use(&s, 50, 10);
	assert_int_equal(smtpd__spacing_ready(&s, 50), 60);
	assert_int_equal(smtpd__spacing_ready(&s, 60), 60);
	assert_int_equal(smtpd__spacing_end(&s), 60);
}

static void
the_last_one_may_have_been_too_early(void **state)
{
	struct smtpd_spacing s = {
		.interval_us = smtpd__spacing_interval(1, 3),
	};

	(void)state;
	assert_int_equal(smtpd__spacing_repaid(&s, 0), 0);
	smtpd__spacing_use(&s, 50, 1);
	assert_int_equal(smtpd__spacing_ready(&s, 50), 53);
	assert_int_equal(smtpd__spacing_repaid(&s, 50), 50);
	smtpd__spacing_use(&s, 50, 2);
	assert_int_equal(smtpd__spacing_repaid(&s, 50), 56);
}

static void
without_a_limit_nothing_is_counted(void **state)
{
	struct smtpd_spacing s = { 0 };

	(void)state;
	smtpd__spacing_use(&s, 50, 1000);
	assert_int_equal(smtpd__spacing_ready(&s, 50), 50);
	assert_int_equal(smtpd__spacing_end(&s), 0);
}

static void
time_ends_before_the_last_moment(void **state)
{
	struct smtpd_spacing s = {
		.interval_us = smtpd__spacing_interval(1, UINT32_MAX),
	};

	(void)state;
	smtpd__spacing_use(&s, 5, 2);
	assert_int_equal(smtpd__spacing_ready(&s, 5), UINT32_MAX - 1);
	assert_int_equal(smtpd__spacing_end(&s), UINT32_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interval_is_the_time_over_the_count),
		cmocka_unit_test(no_more_happen_than_the_rate_allows),
		cmocka_unit_test(silence_saves_nothing_up),
		cmocka_unit_test(what_came_too_early_is_made_up_for),
		cmocka_unit_test(the_last_one_may_have_been_too_early),
		cmocka_unit_test(without_a_limit_nothing_is_counted),
		cmocka_unit_test(time_ends_before_the_last_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
