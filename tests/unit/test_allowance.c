/* SPDX-License-Identifier: MIT */
#include "allowance.h"

#include <stdio.h>

#include "test.h"

#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static void
expect(struct allowances *a, const char *user, int64_t now, int64_t wait,
    uint64_t limit)
{
	uint64_t reached = 0;

	assert_int_equal(allowances_take(a, user, now, &reached), wait);
	if (wait != 0)
		assert_int_equal(reached, limit);
}

/* submission(8): parts of five minutes, which are forgotten one by one. */
static void
an_hour_goes_by(void **state)
{
	struct log *log = log_create(0);
	struct allowances *a = allowances_create(3, 0, log);

	(void)state;
	assert_non_null(a);
	expect(a, "ann", 0, 0, 0);
	expect(a, "ann", 299, 0, 0);
	expect(a, "ann", 300, 0, 0);
	expect(a, "ann", 1000, HOUR - 1000, 3);
	expect(a, "bob", 1000, 0, 0);
	expect(a, "ann", HOUR - 1, 1, 3);
	expect(a, "ann", HOUR, 0, 0);
	expect(a, "ann", HOUR, 0, 0);
	expect(a, "ann", HOUR, 300, 3);
	expect(a, "ann", 10 * DAY, 0, 0);
	allowances_destroy(a);
	log_destroy(log);
}

/* What the hour has room for the day may not have. */
static void
a_day_goes_by(void **state)
{
	struct log *log = log_create(0);
	struct allowances *a = allowances_create(2, 3, log);

	(void)state;
	assert_non_null(a);
	expect(a, "ann", DAY, 0, 0);
	expect(a, "ann", DAY, 0, 0);
	expect(a, "ann", DAY, HOUR, 2);
	expect(a, "ann", DAY + 2 * HOUR, 0, 0);
	expect(a, "ann", DAY + 2 * HOUR, DAY - 2 * HOUR, 3);
	expect(a, "ann", 2 * DAY, 0, 0);
	allowances_destroy(a);
	log_destroy(log);
}

/* 0: no limit. */
static void
nobody_counts(void **state)
{
	struct log *log = log_create(0);
	struct allowances *a = allowances_create(0, 0, log);
	char user[16];

	(void)state;
	assert_non_null(a);
	for (int i = 0; i < 3000; i++) {
		snprintf(user, sizeof(user), "u%d", i % 1000);
		expect(a, user, 5, 0, 0);
	}
	allowances_destroy(a);
	allowances_destroy(NULL);
	log_destroy(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_goes_by),
		cmocka_unit_test(a_day_goes_by),
		cmocka_unit_test(nobody_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
