/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/date.h"

#include "test.h"

/* 2006-01-02 15:04:05 UTC */
#define WHEN 1136214245

/* RFC 5322, 3.3 */
static void
dates_are_written_in_utc(void **state)
{
	static const struct {
		int64_t when;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ WHEN, "Mon, 02 Jan 2006 15:04:05 +0000" },
		{ 1709164799, "Wed, 28 Feb 2024 23:59:59 +0000" },
		{ 1709164800, "Thu, 29 Feb 2024 00:00:00 +0000" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 2147483648, "Tue, 19 Jan 2038 03:14:08 +0000" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 +0000" },
	};
	char buf[SMTPD_DATE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		/* On some machines of 32 bits time ends in 2038. */
		if ((time_t)cases[i].when != cases[i].when)
			continue;
		smtpd__date_write((time_t)cases[i].when, buf);
		assert_string_equal(buf, cases[i].text);
	}
}

static void
dates_beyond_the_calendar_stay_in_bounds(void **state)
{
	static const int64_t cases[] = { INT64_MAX, INT64_MIN, -1,
		67767976233532799, 67767976233532800 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *buf = test_malloc(SMTPD_DATE_MAX);

		smtpd__date_write((time_t)cases[i], buf);
		assert_string_equal(buf + strlen(buf) - 6, " +0000");
		test_free(buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_written_in_utc),
		cmocka_unit_test(dates_beyond_the_calendar_stay_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
