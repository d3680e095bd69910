/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "grammar/quoted_printable.h"

#include "test.h"

struct out {
	struct smtpd_text text;
	int left; /* calls before it fails; -1: never */
	char buf[8192];
};

static int
take(void *user, const void *data, size_t len)
{
	struct out *o = user;

	if (o->left == 0)
		return -1;
	o->left -= o->left > 0;
	smtpd__text_bytes(&o->text, data, len);
	return 0;
}

/* Write LEN bytes at IN in pieces of STEP. */
static int
encode(struct out *o, const char *in, size_t len, size_t step, int left)
{
	struct smtpd_quoted_printable q;

	o->left = left;
	smtpd__text_init(&o->text, o->buf, sizeof(o->buf));
	smtpd__quoted_printable_init(&q, take, o);
	for (size_t at = 0; at < len; at += step)
		smtpd__quoted_printable_feed(
		    &q, in + at, step < len - at ? step : len - at);
	return smtpd__quoted_printable_end(&q);
}

#define TEN(s) s s s s s s s s s s

/* RFC 2045, 6.7 */
static void
text_is_encoded(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "a b\tc\r\n", "a b\tc\r\n" },
		{ "a=b", "a=3Db" },
		{ "\303\274\377\1\177", "=C3=BC=FF=01=7F" },
		{ "a \r\nb\t\r\n\r\n", "a=20\r\nb=09\r\n\r\n" },
		{ "a  \r\n", "a =20\r\n" },
		{ "a ", "a=20" },
		{ "a\rb\nc\r", "a=0Db=0Ac=0D" },
		{ "\r\r\n", "=0D\r\n" },
		{ "--b\r\na-\r\n --\r\n", "=2D-b\r\na-\r\n --\r\n" },
		{ TEN("1234567") "12345--", TEN("1234567") "12345=\r\n=2D-" },
		{ TEN("1234567") "12345", TEN("1234567") "12345" },
		{ TEN("1234567") "123456", TEN("1234567") "12345=\r\n6" },
		{ TEN("1234567") "123\303", TEN("1234567") "123=\r\n=C3" },
		{ TEN("1234567") "12345\r\n1", TEN("1234567") "12345\r\n1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);

		for (size_t step = 1; step <= len + 1; step++) {
			struct out o;

			assert_int_equal(
			    encode(&o, cases[i].in, len, step, -1), 0);
			assert_string_equal(o.buf, cases[i].out);
		}
	}
}

static void
no_line_is_too_long(void **state)
{
	char in[2000];
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 37);
	assert_int_equal(encode(&o, in, sizeof(in), 100, -1), 0);
	for (const char *s = o.buf; *s != '\0';) {
		size_t len = strcspn(s, "\r");

		assert_true(len <= 76);
		s += len;
		s += strspn(s, "\r\n");
	}
}

static void
a_failure_of_the_sink_is_told(void **state)
{
	char in[3000];
	struct out o;

	(void)state;
	memset(in, 'a', sizeof(in));
	for (int left = 0; left < 4; left++)
		assert_int_equal(encode(&o, in, sizeof(in), 64, left), -1);
	assert_int_equal(encode(&o, in, sizeof(in), 64, 4), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_encoded),
		cmocka_unit_test(no_line_is_too_long),
		cmocka_unit_test(a_failure_of_the_sink_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
