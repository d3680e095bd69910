/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

#include "test.h"

/* RFC 3629, 3: Each character is the only form that it has. */
static void
every_character_is_decoded(void **state)
{
	(void)state;
	for (uint32_t want = 0; want <= 0x10ffff;
	    want += want < 0x900 ? 1 : 61) {
		char s[4];
		uint32_t point;
		size_t len = want < 0x80 ? 1
		    : want < 0x800       ? 2
		    : want < 0x10000     ? 3
					 : 4;
		static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

		for (size_t i = len; i-- > 1;)
			s[i] =
			    (char)(0x80 | (want >> 6 * (len - 1 - i) & 0x3f));
		s[0] = (char)(lead[len] | want >> 6 * (len - 1));
		if (want >= 0xd800 && want <= 0xdfff) {
			assert_int_equal(smtpd__utf8_decode(s, len, &point), 0);
			continue;
		}
		assert_int_equal(smtpd__utf8_decode(s, len, &point), len);
		assert_int_equal(point, want);
		assert_int_equal(smtpd__utf8_decode(s, len - 1, &point), 0);
		assert_true(smtpd__utf8_is_valid(s, len));
	}
}

/* RFC 3629, 3; RFC 3629, 10 */
static void
what_is_none_is_refused(void **state)
{
	static const char *const cases[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xfe", "\xff", "\xc3(", "\xe2\x82(", "\xf0\x9f\x93(",
		"\xc3\xc3" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t point;

		if (smtpd__utf8_decode(cases[i], strlen(cases[i]), &point) != 0)
			fail_msg("case %zu", i);
		assert_false(smtpd__utf8_is_valid(cases[i], strlen(cases[i])));
	}
}

static void
text_is_filtered_but_for_characters(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		const char *out;
	} cases[] = {
		{ "a\xc3\xbc\xe4\xbe\x8b\xf0\x9f\x93\xa7", 32,
		    "a\xc3\xbc\xe4\xbe\x8b\xf0\x9f\x93\xa7" },
		{ "a\r\nb\x7f", 32, "a??b?" },
		{ "\xc2\x85", 32, "?" },
		{ "\xff\xc3", 32, "??" },
		{ "\xe4\xbe", 32, "??" },
		/* No half of a character, and nothing behind it. */
		{ "a\xe4\xbe\x8b"
		  "b",
		    4, "a" },
		{ "a\xe4\xbe\x8b"
		  "b",
		    5, "a\xe4\xbe\x8b" },
		{ "a", 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[32];
		struct smtpd_text t;

		smtpd__text_init(&t, buf, cases[i].size);
		smtpd__text_filtered_utf8(&t, cases[i].in, strlen(cases[i].in));
		assert_string_equal(buf, cases[i].out);
	}
}

static void
blocks_are_checked_as_one_text(void **state)
{
	static const struct {
		const char *text;
		bool broken;
		size_t len; /* of what is held at the end */
	} cases[] = {
		{ "", false, 0 },
		{ "abc\r\n", false, 0 },
		{ "a\xc3\xbc\xe4\xbe\x8b\xf0\x9f\x93\xa7z", false, 0 },
		{ "\xf0\x9f\x93", false, 3 },
		{ "\xff", true, 0 },
		{ "\xc3\r\n", true, 0 },
		{ "\xed\xa0\x80", true, 0 },
		{ "a\xe4z", true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].text);

		for (size_t step = 1; step <= len + 1; step++) {
			struct smtpd_utf8_check c = { 0 };

			for (size_t at = 0; at < len; at += step)
				smtpd__utf8_check_feed(&c, cases[i].text + at,
				    step < len - at ? step : len - at);
			if (i == COUNT(cases) - 1)
				smtpd__utf8_check_feed(&c, "zz", 2);
			assert_int_equal(c.broken, cases[i].broken);
			assert_int_equal(c.len, cases[i].len);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character_is_decoded),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(text_is_filtered_but_for_characters),
		cmocka_unit_test(blocks_are_checked_as_one_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
