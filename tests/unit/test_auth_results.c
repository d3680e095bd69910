/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/auth_results.h"

#include "test.h"

static bool
is_ours(const char *value)
{
	return smtpd__auth_results_is_of(
	    value, strlen(value), "mx.example.org");
}

/* RFC 8601, 5: those that claim to be of this host, however they are written,
 * and those of which nobody can tell. */
static void
ours_are_found(void **state)
{
	static const char *const values[] = { " mx.example.org; none",
		" MX.Example.ORG 1; spf=pass", "mx.example.org", "",
		" (a (b) \\) c) mx.example.org (x) ; dkim=pass",
		"\r\n\tmx.example.org;\r\n\tspf=pass",
		" \"mx.example.org\"; none", " \"mx.ex\\ample.org\" 1; none",
		" mx.example.org.; none", " (no end", " \"no end", " ; none",
		" ()", " a b; none" };

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		assert_true(is_ours(values[i]));
	assert_true(smtpd__auth_results_is_of("a\0b", 3, "mx.example.org"));
}

/* RFC 8601, 2.5: those of other hosts stay. */
static void
others_are_left(void **state)
{
	static const char *const values[] = { " mx.example.com; none",
		" a.mx.example.org; none", " mx.example.or; none",
		" other 1; spf=fail (mx.example.org)",
		" (mx.example.org) other; none", " \"other\"; none" };

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++)
		assert_false(is_ours(values[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_found),
		cmocka_unit_test(others_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
