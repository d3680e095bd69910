/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/unitext.h"

#include "test.h"

/* RFC 6533, 3 */
static void
unitext_is_decoded(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} valid[] = {
		{ "", "" },
		{ "a@b.example", "a@b.example" },
		{ "\\x{FC}@b", "\xc3\xbc@b" },
		{ "\xc3\xbc@b", "\xc3\xbc@b" },
		{ "a\\x{2B}b\\x{3D}\\x{5C}\\x{20}@b", "a+b=\\ @b" },
		{ "\\x{A0}", "\xc2\xa0" },
		{ "\\x{7FF}\\x{800}", "\xdf\xbf\xe0\xa0\x80" },
		{ "\\x{D7FF}\\x{E000}", "\xed\x9f\xbf\xee\x80\x80" },
		{ "\\x{FFFF}\\x{10000}", "\xef\xbf\xbf\xf0\x90\x80\x80" },
		{ "\\x{10FFFF}", "\xf4\x8f\xbf\xbf" },
	};
	static const char *const invalid[] = { "+", "a=b", "a b", "\\", "a\\b",
		"\\x", "\\x{", "\\x{}", "\\x{F}", "\\x{FC", "\\x{fc}",
		"\\x{00FC}", "\\x{0FC}", "\\x{41}", "\\x{00}", "\\x{0A}",
		"\\x{7F}", "\\x{85}", "\\x{D800}", "\\x{DFFF}", "\\x{110000}",
		"\\x{1234567}", "\\X{FC}", "\\x(FC)", "\xfc", "\xc2\x85",
		"\xed\xa0\x80", "a\tb", "a\r", "\177" };
	char buf[32];

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		int n = smtpd__unitext_decode(
		    valid[i].in, strlen(valid[i].in), buf, sizeof(buf));

		assert_int_equal(n, strlen(valid[i].out));
		assert_string_equal(buf, valid[i].out);
	}
	for (size_t i = 0; i < COUNT(invalid); i++) {
		if (smtpd__unitext_decode(
			invalid[i], strlen(invalid[i]), buf, sizeof(buf)) != -1)
			fail_msg("taken: %s", invalid[i]);
	}
	assert_int_equal(smtpd__unitext_decode("\\x{FC}a", 7, buf, 4), 3);
	assert_int_equal(smtpd__unitext_decode("\\x{FC}a", 7, buf, 3), -1);
	assert_int_equal(smtpd__unitext_decode("", 0, buf, 0), -1);
}

static void
what_is_encoded_is_decoded(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "a@b.example", "a@b.example" },
		{ "\xc3\xbc@b", "\\x{FC}@b" },
		{ "\"a b\"+c=\\@d", "\"a\\x{20}b\"\\x{2B}c\\x{3D}\\x{5C}@d" },
		{ "\xe7\x94\xa8\xf0\x9f\x93\xa7", "\\x{7528}\\x{1F4E7}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[64], again[64];
		struct smtpd_text t;

		smtpd__text_init(&t, buf, sizeof(buf));
		smtpd__unitext_encode(&t, cases[i].in);
		assert_string_equal(buf, cases[i].out);
		assert_int_equal(
		    smtpd__unitext_decode(buf, t.len, again, sizeof(again)),
		    strlen(cases[i].in));
		assert_string_equal(again, cases[i].in);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unitext_is_decoded),
		cmocka_unit_test(what_is_encoded_is_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
