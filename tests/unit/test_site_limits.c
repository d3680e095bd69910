/* SPDX-License-Identifier: MIT */
#include "site_limits.h"

#include <stdio.h>

#include "test.h"

static void
limits_are_read(void **state)
{
	char text[] = "mx:.example.org:rate=30/m,connection-rate=2/s,"
		      "connections=3,rcpts=10,messages=20";
	struct site_limit l;

	(void)state;
	assert_null(site_limits_parse(text, &l));
	assert_string_equal(l.pattern, "mx:.example.org");
	assert_int_equal(l.limits.messages, 30);
	assert_int_equal(l.limits.messages_s, 60);
	assert_int_equal(l.limits.new_connections, 2);
	assert_int_equal(l.limits.new_connections_s, 1);
	assert_int_equal(l.limits.connections, 3);
	assert_int_equal(l.limits.recipients, 10);
	assert_int_equal(l.limits.messages_per_connection, 20);
}

static void
rates_have_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t count, seconds;
	} cases[] = {
		{ "*:rate=5/s", 5, 1 },
		{ "*:rate=5/m", 5, 60 },
		{ "*:rate=1000000/h", 1000000, 3600 },
		{ "[192.0.2.1]:rate=1/d", 1, 86400 },
		{ "[IPv6:2001:db8::1]:rate=1/s", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64];
		struct site_limit l;

		snprintf(text, sizeof(text), "%s", cases[i].text);
		assert_null(site_limits_parse(text, &l));
		assert_int_equal(l.limits.messages, cases[i].count);
		assert_int_equal(l.limits.messages_s, cases[i].seconds);
	}
}

static void
mistakes_are_refused(void **state)
{
	static const char *const cases[] = { "example.org", "", ":rate=1/s",
		"mx::rate=1/s", ".:rate=1/s", "a@b.example:rate=1/s",
		"example.org:", "example.org:rate", "example.org:rate=1",
		"example.org:rate=0/s", "example.org:rate=1/w",
		"example.org:rate=1/ss", "example.org:rate=-1/s",
		"example.org:rate=1000001/s", "example.org:connections=0",
		"example.org:connections=x", "example.org:connections=1x",
		"example.org:speed=1", "example.org:rcpts=1,",
		"example.org:rcpts=1,,messages=2" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64];
		struct site_limit l;

		snprintf(text, sizeof(text), "%s", cases[i]);
		if (site_limits_parse(text, &l) == NULL)
			fail_msg("%s", cases[i]);
	}
}

static void
the_first_pattern_that_fits_counts(void **state)
{
	static const char *const given[] = { "a.example:connections=1",
		".b.example:connections=2", "mx:mx.c.example:connections=3",
		"mx:.d.example:connections=4", "*:connections=5" };
	static const struct {
		const char *domain, *hosts;
		uint32_t expected;
	} cases[] = {
		{ "a.example", "mx.c.example", 1 },
		{ "A.Example", "", 1 },
		{ "x.a.example", "", 5 },
		{ "b.example", "", 5 },
		{ "x.b.example", "", 2 },
		{ "xb.example", "", 5 },
		{ "e.example", "mx.c.example", 3 },
		{ "e.example", "mx1.example,MX.c.example", 3 },
		{ "e.example", "amx.c.example", 5 },
		{ "e.example", "mx1.example,mx.d.example,mx2.example", 4 },
		{ "e.example", "d.example", 5 },
	};
	char texts[COUNT(given)][64];
	struct site_limit list[COUNT(given)];
	struct site_limits all = { list, COUNT(given) };

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s", given[i]);
		assert_null(site_limits_parse(texts[i], &list[i]));
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_queue_destination d = { cases[i].domain,
			cases[i].hosts };
		struct smtpd_site_limits l = { SMTPD_SITE_LIMITS_INIT };

		site_limits_find(&d, &l, &all);
		assert_int_equal(l.connections, cases[i].expected);
	}
	all.count--;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct smtpd_queue_destination d = { "e.example", "" };
		struct smtpd_site_limits l = { SMTPD_SITE_LIMITS_INIT };

		site_limits_find(&d, &l, &all);
		assert_int_equal(l.connections, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read),
		cmocka_unit_test(rates_have_units),
		cmocka_unit_test(mistakes_are_refused),
		cmocka_unit_test(the_first_pattern_that_fits_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
