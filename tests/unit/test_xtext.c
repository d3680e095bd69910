/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "grammar/xtext.h"

#include "test.h"

static void
xtext_is_decoded(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} valid[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "a+2Bb+3D", "a+b=" },
		{ "+20+7E!~", " ~!~" },
		{ "+C3+A9", "\303\251" },
		{ "<>", "<>" },
	};
	static const char *const invalid[] = { "+", "a+", "+2", "a+2", "+2b",
		"+c3", "+G0", "+0G", "++2B", "=", "a=b", "a b", "a\tb", "a\r",
		"\303\251", "\177", "+00", "+0A", "+0D", "+09", "+1F", "+7F",
		"+ 1" };
	char buf[16];

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		int n = smtpd__xtext_decode(
		    valid[i].in, strlen(valid[i].in), buf, sizeof(buf));

		assert_int_equal(n, strlen(valid[i].out));
		assert_string_equal(buf, valid[i].out);
	}
	for (size_t i = 0; i < COUNT(invalid); i++) {
		if (smtpd__xtext_decode(
			invalid[i], strlen(invalid[i]), buf, sizeof(buf)) != -1)
			fail_msg("taken: %s", invalid[i]);
	}
	assert_int_equal(smtpd__xtext_decode("a\0b", 3, buf, 16), -1);
	/* Cut short by its length, not by a NUL. */
	assert_int_equal(smtpd__xtext_decode("a+2B", 3, buf, 16), -1);
	assert_int_equal(smtpd__xtext_decode("a+2B", 2, buf, 16), -1);
}

static void
xtext_needs_room(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(smtpd__xtext_decode("a+2Bc", 5, buf, 4), 3);
	assert_int_equal(smtpd__xtext_decode("a+2Bc", 5, buf, 3), -1);
	assert_int_equal(smtpd__xtext_decode("", 0, buf, 1), 0);
	assert_int_equal(smtpd__xtext_decode("", 0, buf, 0), -1);
}

static void
every_byte_but_controls_can_be_coded(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool control = c < 32 || c == 127;
		char text[16];
		char out[16];
		int n = snprintf(text, sizeof(text), "a+%02Xb", (unsigned)c);

		assert_int_equal(
		    smtpd__xtext_decode(text, (size_t)n, out, sizeof(out)),
		    control ? -1 : 3);
		if (!control)
			assert_int_equal((unsigned char)out[1], c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xtext_is_decoded),
		cmocka_unit_test(xtext_needs_room),
		cmocka_unit_test(every_byte_but_controls_can_be_coded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
