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

/* RFC 3339, 5.6 */
static void
stamps_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t when;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2006-01-02T15:04:05Z", WHEN },
		{ "2006-01-02t15:04:05z", WHEN },
		{ "2006-01-02T15:04:05.999999999999999999999Z", WHEN },
		{ "2006-01-02T16:04:05+01:00", WHEN },
		{ "2006-01-02T00:04:05-15:00", WHEN },
		{ "2006-01-03T15:03:05+23:59", WHEN },
		{ "2000-02-29T00:00:00Z", 951782400 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "2016-12-31T23:59:60Z", 1483228800 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "0000-01-01T00:00:00Z", -62167219200 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};
	static const char *const bad[] = { "", "2006", "2006-01-02",
		"2006-01-02T15:04:05", "2006-01-02T15:04Z",
		"2006-01-02 15:04:05Z", "2006-1-2T15:04:05Z",
		"2006-00-02T15:04:05Z", "2006-13-02T15:04:05Z",
		"2006-01-00T15:04:05Z", "2006-01-32T15:04:05Z",
		"2006-02-29T15:04:05Z", "1900-02-29T15:04:05Z",
		"2006-04-31T15:04:05Z", "2006-01-02T24:00:00Z",
		"2006-01-02T15:60:05Z", "2006-01-02T15:04:61Z",
		"2006-01-02T15:04:05.Z", "2006-01-02T15:04:05,5Z",
		"2006-01-02T15:04:05+1:00", "2006-01-02T15:04:05+0100",
		"2006-01-02T15:04:05+24:00", "2006-01-02T15:04:05+01:60",
		"2006-01-02T15:04:05+01:00Z", "2006-01-02T15:04:05Zx",
		"2006-01-02T15:04:05 Z", "-006-01-02T15:04:05Z",
		"12006-01-02T15:04:05Z", "1136214245" };
	int64_t when;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(
		    smtpd__date_read_stamp(good[i].text, &when), 0);
		assert_int_equal(when, good[i].when);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(smtpd__date_read_stamp(bad[i], &when), -1);
}

/* What is written is read, each day of some centuries. */
static void
stamps_go_round(void **state)
{
	char buf[SMTPD_DATE_STAMP_MAX];
	int64_t when;

	(void)state;
	for (int64_t t = -2208988800; t < 4102444800; t += 86399) {
		if ((time_t)t != t)
			continue;
		smtpd__date_write_stamp((time_t)t, buf);
		assert_int_equal(smtpd__date_read_stamp(buf, &when), 0);
		assert_int_equal(when, t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_written_in_utc),
		cmocka_unit_test(dates_beyond_the_calendar_stay_in_bounds),
		cmocka_unit_test(stamps_are_read),
		cmocka_unit_test(stamps_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
