/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/received.h"

#include "test.h"

/* 2006-01-02 15:04:05 UTC */
#define WHEN 1136214245

#define DATE "\tMon, 02 Jan 2006 15:04:05 +0000\r\n"

/* 60 letters; the longest label has 63. */
#define SIXTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

/* RFC 5321, 4.4; RFC 3848, 1 */
static void
received_is_written(void **state)
{
	static const int high = 9, low = -3;
	static const struct {
		struct smtpd_received trace;
		const char *text;
	} cases[] = {
		{ { "client", "192.0.2.1", "mx.example.org", "ESMTP", "X1",
		      "a@b", WHEN, NULL, NULL, NULL, false, NULL },
		    "Received: from client ([192.0.2.1])\r\n"
		    "\tby mx.example.org with ESMTP id X1\r\n"
		    "\tfor <a@b>;\r\n" DATE },
		/* RFC 6531, 3.7.3 */
		{ { "client", "192.0.2.1", "mx", "UTF8SMTP", "X1",
		      "\303\274@\303\266.example", WHEN, NULL, NULL, NULL, true,
		      NULL },
		    "Received: from client ([192.0.2.1])\r\n"
		    "\tby mx with UTF8SMTP id X1\r\n"
		    "\tfor <\303\274@\303\266.example>;\r\n" DATE },
		{ { "client", "192.0.2.1", "mx", "ESMTP", "X1", NULL, WHEN,
		      NULL, NULL, NULL, false, NULL },
		    "Received: from client ([192.0.2.1])\r\n"
		    "\tby mx with ESMTP id X1;\r\n" DATE },
		/* RFC 6710, 4.1 */
		{ { "client", "192.0.2.1", "mx", "ESMTPA", "X1", "a@b", WHEN,
		      NULL, NULL, NULL, false, &high },
		    "Received: from client ([192.0.2.1])\r\n"
		    "\tby mx with ESMTPA id X1\r\n"
		    "\tfor <a@b> priority 9;\r\n" DATE },
		{ { "client", "192.0.2.1", "mx", "ESMTPA", "X1", NULL, WHEN,
		      NULL, NULL, NULL, false, &low },
		    "Received: from client ([192.0.2.1])\r\n"
		    "\tby mx with ESMTPA id X1 priority -3;\r\n" DATE },
		{ { "[IPv6:::1]", "::1", "mx", "SMTP", "X1", "postmaster", WHEN,
		      NULL, NULL, NULL, false, NULL },
		    "Received: from [IPv6:::1] ([IPv6:::1])\r\n"
		    "\tby mx with SMTP id X1\r\n"
		    "\tfor <postmaster>;\r\n" DATE },
		{ { "a", NULL, "mx", "SMTP", "X1", NULL, WHEN, NULL, NULL, NULL,
		      false, NULL },
		    "Received: from a (local)\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { "a", NULL, "mx", "SMTP", "X1", NULL, WHEN, NULL, NULL,
		      "1000", false, NULL },
		    "Received: from a (local, uid 1000)\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { "a", "192.0.2.1", "mx", "SMTP", "X1", NULL, WHEN, NULL,
		      NULL, "1000", false, NULL },
		    "Received: from a ([192.0.2.1])\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { SIXTY, NULL, "mx", "SMTP", "X1", NULL, WHEN, NULL, NULL,
		      "4294967295", false, NULL },
		    "Received: from " SIXTY "\r\n"
		    "\t(local, uid 4294967295)\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { "", "192.0.2.1", "mx", "SMTP", "X1", NULL, WHEN, NULL, NULL,
		      NULL, false, NULL },
		    "Received: from unknown ([192.0.2.1])\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { SIXTY, "192.0.2.1", SIXTY, "ESMTP", "0123456789ABC", NULL,
		      WHEN, NULL, NULL, NULL, false, NULL },
		    "Received: from " SIXTY "\r\n"
		    "\t([192.0.2.1])\r\n"
		    "\tby " SIXTY " with ESMTP\r\n"
		    "\tid 0123456789ABC;\r\n" DATE },
		/* 78 characters fit, 79 do not. */
		{ { SIXTY "ggg", NULL, "mx", "SMTP", "X1", NULL, WHEN, NULL,
		      NULL, NULL, false, NULL },
		    "Received: from " SIXTY "ggg\r\n"
		    "\t(local)\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { SIXTY "gggg", NULL, "mx", "SMTP", "X1", NULL, WHEN, NULL,
		      NULL, NULL, false, NULL },
		    "Received:\r\n"
		    "\tfrom " SIXTY "gggg (local)\r\n"
		    "\tby mx with SMTP id X1;\r\n" DATE },
		{ { "a)(b", "192.0.2.1", "m\"x", "S;", "X\r\nY", "\"a b\"@c",
		      WHEN, NULL, NULL, NULL, false, NULL },
		    "Received: from a??b ([192.0.2.1])\r\n"
		    "\tby m?x with S? id X??Y\r\n"
		    "\tfor <\"a b\"@c>;\r\n" DATE },
		{ { "a\r\nX: y", "1\r\n2", "mx", "SMTP", "1", "a\r\nb\303",
		      WHEN, NULL, NULL, NULL, false, NULL },
		    "Received: from a??X:?y ([1??2])\r\n"
		    "\tby mx with SMTP id 1\r\n"
		    "\tfor <a??b?>;\r\n" DATE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[1024];
		int n =
		    smtpd__received_write(&cases[i].trace, buf, sizeof(buf));

		assert_int_equal(n, strlen(cases[i].text));
		assert_string_equal(buf, cases[i].text);
	}
}

static void
over_long_values_are_cut_and_always_fit(void **state)
{
	char letters[2001];
	char addresses[2001];
	char buf[1024];
	struct smtpd_received t = { letters, letters, letters, letters, letters,
		addresses, WHEN, NULL, NULL, NULL, false, NULL };

	(void)state;
	memset(letters, 'a', 2000);
	letters[2000] = '\0';
	memset(addresses, 'b', 2000);
	for (size_t len = 0; len <= 2000; len += 100) {
		addresses[len] = '\0';
		assert_true(smtpd__received_write(&t, buf, sizeof(buf)) > 600);
		/* An address is whole or not there. */
		assert_int_equal(strstr(buf, "\tfor <") != NULL, len <= 300);
		assert_string_equal(buf + strlen(buf) - strlen(DATE), DATE);
		addresses[len] = 'b';
	}
	letters[1000] = ':';
	addresses[300] = '\0';
	letters[2] = ':';
	assert_true(smtpd__received_write(&t, buf, sizeof(buf)) > 0);
}

static void
without_room_nothing_is_promised(void **state)
{
	const struct smtpd_received t = { "a", NULL, "b", "c", "d", "e", WHEN,
		NULL, NULL, NULL, false, NULL };
	char whole[1024];
	int len = smtpd__received_write(&t, whole, sizeof(whole));

	(void)state;
	assert_true(len > 0);
	for (size_t size = 0; size <= (size_t)len + 1; size++) {
		char *buf = test_malloc(size + 1);

		assert_int_equal(smtpd__received_write(&t, buf, size),
		    size > (size_t)len ? len : -1);
		test_free(buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(received_is_written),
		cmocka_unit_test(over_long_values_are_cut_and_always_fit),
		cmocka_unit_test(without_room_nothing_is_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
