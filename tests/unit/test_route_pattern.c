/* SPDX-License-Identifier: MIT */
#include "queue/delivery/route_pattern.h"

#include <string.h>

#include "test.h"

static const struct {
	const char *pattern;
	const char *address;
	bool matches;
} pairs[] = {
	{ "*", "ann@example.org", true },
	{ "*", "", true },
	{ "example.org", "ann@example.org", true },
	{ "Example.ORG", "ann@example.org", true },
	{ "example.org.", "ann@EXAMPLE.org", true },
	{ "example.org", "ann@sub.example.org", false },
	{ "example.org", "ann@example.net", false },
	{ "example.org", "", false },
	{ ".example.org", "ann@sub.example.org", true },
	{ ".example.org", "ann@a.b.Example.org", true },
	{ ".example.org", "ann@example.org", false },
	{ ".example.org", "ann@anexample.org", false },
	{ "ann@example.org", "ann@example.org", true },
	{ "ann@example.org", "Ann@example.org", true },
	{ "ann@example.org", "\"ann\"@example.org", true },
	{ "ann@example.org", "bob@example.org", false },
	{ "ann@example.org", "ann@example.net", false },
	{ "\"a b\"@example.org", "\"a b\"@example.org", true },
	{ "[192.0.2.1]", "ann@[192.0.2.1]", true },
	{ "from:example.org", "ann@example.org", true },
	{ "FROM:ann@example.org", "ann@example.org", true },
	{ "from:.example.org", "ann@sub.example.org", true },
	{ "from:*", "", true },
	{ "from:example.org", "", false },
};

static void
addresses_match_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct smtpd_route_pattern p;
		struct smtpd_route_address a;
		struct smtpd_text error;
		char why[128];

		smtpd__text_init(&error, why, sizeof(why));
		if (smtpd__route_pattern_parse(pairs[i].pattern, &p, &error) ==
		    -1)
			fail_msg("%s: %s", pairs[i].pattern, why);
		assert_int_equal(p.from, strchr(pairs[i].pattern, ':') != NULL);
		smtpd__route_pattern_address(pairs[i].address, &a);
		if (smtpd__route_pattern_matches(&p, &a) != pairs[i].matches)
			fail_msg("%s, %s", pairs[i].pattern, pairs[i].address);
	}
}

static void
what_is_no_pattern_is_refused(void **state)
{
	static const char *const wrong[] = { "", ".", "from:", "a b", "a..b",
		"@example.org", "ann@", "ann@a b", "*.example.org", "from:a b",
		"to:*", "from\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct smtpd_route_pattern p;
		struct smtpd_text error;
		char why[256];

		smtpd__text_init(&error, why, sizeof(why));
		if (smtpd__route_pattern_parse(wrong[i], &p, &error) != -1)
			fail_msg("\"%s\" is accepted", wrong[i]);
		assert_memory_equal(why, "\"", 1);
		assert_memory_equal(why + 1, wrong[i], strlen(wrong[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_match_patterns),
		cmocka_unit_test(what_is_no_pattern_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
