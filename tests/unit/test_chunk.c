/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/chunk.h"

#include "test.h"

/* RFC 3030, 2: chunk-size is 1*DIGIT. */
static void
sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
		bool last;
	} cases[] = {
		{ "0", 0, false },
		{ "1", 1, false },
		{ "0 LAST", 0, true },
		{ "007 last", 7, true },
		{ "1048576   Last", 1048576, true },
		{ "18446744073709551615", UINT64_MAX, false },
		{ "18446744073709551615 LAST", UINT64_MAX, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;
		struct smtpd_chunk c;

		assert_int_equal(smtpd__chunk_parse(text, strlen(text), &c), 0);
		assert_true(c.size == cases[i].size);
		assert_int_equal(c.last, cases[i].last);
	}
}

/* RFC 3030, 2: Anything else is no chunk, since its end is not known. */
static void
other_arguments_are_refused(void **state)
{
	static const char *const cases[] = { "", " ", "LAST", "-1", "+1", "1.",
		"0x1", "1LAST", "1 ", "1 LAS", "1 LASTS", "1 LAST x", "1 LAST ",
		"1\tLAST", "1 1", " 1", "18446744073709551616",
		"99999999999999999999", "99999999999999999999 LAST",
		"000000000000000000001", "12345678901234567890LAST" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtpd_chunk c;

		assert_int_equal(
		    smtpd__chunk_parse(cases[i], strlen(cases[i]), &c), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(other_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
