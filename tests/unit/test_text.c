/* SPDX-License-Identifier: MIT */
#include <smtpd/address.h>

#include <string.h>

#include "base/text.h"

#include "test.h"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digit[] = "0123456789";

/* Whether C is one of the characters of SET. */
static bool
is_in(const char *set, int c)
{
	return c > 0 && strchr(set, c) != NULL;
}

static void
classes_are_of_ascii(void **state)
{
	(void)state;
	for (int c = -128; c < 256; c++) {
		bool loaded = c < 128 && (is_in(lower, c) || is_in(upper, c));
		bool number = c < 128 && is_in(digit, c);

		assert_int_equal(smtpd__text_is_alpha(c), loaded);
		assert_int_equal(smtpd__text_is_digit(c), number);
		assert_int_equal(smtpd__text_is_alnum(c), loaded || number);
		assert_int_equal(
		    smtpd__text_is_control(c), (c >= 0 && c <= 31) || c == 127);
		assert_int_equal(
		    smtpd__text_is_white(c), c == ' ' || c == '\t');
	}
}

static void
case_is_of_ascii(void **state)
{
	(void)state;
	for (int i = 0; i < 26; i++) {
		assert_int_equal(smtpd__text_to_lower(upper[i]), lower[i]);
		assert_int_equal(smtpd__text_to_upper(lower[i]), upper[i]);
	}
	for (int c = -128; c < 256; c++) {
		if (smtpd__text_is_alpha(c))
			continue;
		assert_int_equal(smtpd__text_to_lower(c), c);
		assert_int_equal(smtpd__text_to_upper(c), c);
	}
}

static void
same_but_for_case(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} cases[] = {
		{ "", "", true },
		{ "MAIL", "mail", true },
		{ "MaIl", "mAiL", true },
		{ "a-1", "A-1", true },
		{ "mail", "mail ", false },
		{ "mai", "mail", false },
		{ "@", "`", false },
		{ "[", "{", false },
		{ "\xc4", "\xe4", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    smtpd__text_same(cases[i].a, cases[i].b), cases[i].same);
		assert_int_equal(
		    smtpd__text_same(cases[i].b, cases[i].a), cases[i].same);
	}
	assert_true(smtpd__text_same_bytes("abX", "ABy", 2));
	assert_true(smtpd__text_same_bytes("a\0b", "A\0B", 3));
	assert_false(smtpd__text_same_bytes("a\0b", "A\0c", 3));
	assert_true(smtpd__text_same_bytes("a", "b", 0));
}

static void
appended_in_order(void **state)
{
	char buf[64];
	struct smtpd_text t;

	(void)state;
	memset(buf, 'x', sizeof(buf));
	smtpd__text_init(&t, buf, sizeof(buf));
	assert_string_equal(buf, "");
	smtpd__text_byte(&t, 'a');
	smtpd__text_add(&t, "bc");
	smtpd__text_bytes(&t, "defgh", 2);
	smtpd__text_bytes(&t, NULL, 0);
	smtpd__text_number(&t, 0);
	smtpd__text_number(&t, UINT64_MAX);
	smtpd__text_format(&t, "<%s%d>", "f", -1);
	assert_string_equal(buf, "abcde018446744073709551615<f-1>");
	assert_int_equal(t.len, strlen(buf));
	assert_false(t.cut);
}

/* Append "0123456789" in the WAY'th way. */
static void
append_ten(struct smtpd_text *t, int way)
{
	switch (way) {
	case 0:
		smtpd__text_add(t, digit);
		break;
	case 1:
		smtpd__text_bytes(t, digit, 10);
		break;
	case 2:
		for (size_t i = 0; i < 10; i++)
			smtpd__text_byte(t, digit[i]);
		break;
	case 3:
		smtpd__text_format(t, "%s", digit);
		break;
	default:
		smtpd__text_filtered(t, digit, 10);
	}
}

static void
cut_at_the_end_of_the_buffer(void **state)
{
	(void)state;
	for (int way = 0; way < 5; way++) {
		for (size_t size = 1; size <= 12; size++) {
			char buf[16];
			struct smtpd_text t;
			size_t len = size - 1 < 10 ? size - 1 : 10;

			memset(buf, 'x', sizeof(buf));
			smtpd__text_init(&t, buf, size);
			append_ten(&t, way);
			assert_int_equal(t.len, len);
			assert_int_equal(t.cut, size < 11);
			assert_memory_equal(buf, digit, len);
			assert_int_equal(buf[len], '\0');
			assert_int_equal(buf[size], 'x');
		}
	}
}

static void
untrusted_bytes_are_replaced(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char buf[4];
		char in = (char)c;
		struct smtpd_text t;

		smtpd__text_init(&t, buf, sizeof(buf));
		smtpd__text_filtered(&t, &in, 1);
		assert_int_equal(t.len, 1);
		assert_int_equal(buf[0], c >= 32 && c <= 126 ? c : '?');
	}
}

static void
ascii_letters_are_lowered(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(smtpd_ascii_lower("Ab@C-1", buf, sizeof(buf)), 6);
	assert_string_equal(buf, "ab@c-1");
	assert_int_equal(smtpd_ascii_lower("\303\204", buf, sizeof(buf)), 2);
	assert_string_equal(buf, "\303\204");
	assert_int_equal(smtpd_ascii_lower("ABCDEFG", buf, sizeof(buf)), 7);
	assert_int_equal(smtpd_ascii_lower("ABCDEFGH", buf, sizeof(buf)), -1);
	assert_int_equal(smtpd_ascii_lower("", buf, 1), 0);
	assert_int_equal(smtpd_ascii_lower("", buf, 0), -1);
}

/* R10: nothing in a value ends it. */
static void
values_of_log_lines_are_quoted_where_they_must_be(void **state)
{
	static const struct {
		const char *in, *value, *quoted;
	} values[] = {
		{ "mx.example", "mx.example", "\"mx.example\"" },
		{ "", "\"\"", "\"\"" },
		{ "x peer=1", "\"x peer=1\"", "\"x peer=1\"" },
		{ "a=b", "\"a=b\"", "\"a=b\"" },
		{ "a\"b\\", "\"a\\x22b\\x5c\"", "\"a\\x22b\\x5c\"" },
		{ "a\r\n\xc3", "\"a\\x0d\\x0a\\xc3\"", "\"a\\x0d\\x0a\\xc3\"" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_string_equal(values[i].value,
		    smtpd__text_value(values[i].in, buf, sizeof(buf)));
		assert_string_equal(values[i].quoted,
		    smtpd__text_quoted(values[i].in, buf, sizeof(buf)));
	}
	for (size_t size = 8; size < 40; size++) {
		smtpd__text_value("a b\"c\"defghijklmnopqrst", buf, size);
		assert_true(strlen(buf) < size);
		assert_int_equal(buf[strlen(buf) - 1], '"');
	}
}

/* What stands between "<" and ">" in a log ends where it should, and can be
 * read back. */
static void
addresses_are_escaped(void **state)
{
	char buf[64], small[12];

	(void)state;
	assert_string_equal(
	    smtpd_address_escape("\"c d\"@x.example", buf, sizeof(buf)),
	    "\"c\\x20d\"@x.example");
	assert_string_equal(
	    smtpd_address_escape("<\\>\r\xc3\xa4", buf, sizeof(buf)),
	    "\\x3c\\x5c\\x3e\\x0d\\xc3\\xa4");
	assert_string_equal(smtpd_address_escape("", buf, sizeof(buf)), "");
	assert_string_equal(
	    smtpd_address_escape("<<<<", small, sizeof(small)), "\\x3c\\x3c");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    values_of_log_lines_are_quoted_where_they_must_be),
		cmocka_unit_test(classes_are_of_ascii),
		cmocka_unit_test(case_is_of_ascii),
		cmocka_unit_test(same_but_for_case),
		cmocka_unit_test(appended_in_order),
		cmocka_unit_test(cut_at_the_end_of_the_buffer),
		cmocka_unit_test(addresses_are_escaped),
		cmocka_unit_test(untrusted_bytes_are_replaced),
		cmocka_unit_test(ascii_letters_are_lowered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
