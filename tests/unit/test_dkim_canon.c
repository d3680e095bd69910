/* SPDX-License-Identifier: MIT */
#include "grammar/dkim_canon.h"

#include <string.h>

#include "base/text.h"

#include "test.h"

struct out {
	struct smtpd_text text;
	char buf[8192];
};

static int
take(void *user, const void *data, size_t len)
{
	struct out *o = user;

	smtpd__text_bytes(&o->text, data, len);
	return 0;
}

static int
refuse(void *user, const void *data, size_t len)
{
	(void)user, (void)data, (void)len;
	return -1;
}

/* The canonical form of BODY, fed in pieces of STEP bytes. */
static const char *
canon_body(struct out *o, const char *body, size_t len, size_t step)
{
	struct smtpd_dkim_body b;

	smtpd__text_init(&o->text, o->buf, sizeof(o->buf));
	smtpd__dkim_canon_body_init(&b, take, o);
	for (size_t at = 0; at < len; at += step)
		assert_int_equal(smtpd__dkim_canon_body_feed(&b, body + at,
				     len - at < step ? len - at : step),
		    0);
	assert_int_equal(smtpd__dkim_canon_body_end(&b), 0);
	return o->buf;
}

static const char *
canon_field(struct out *o, const char *field, size_t step)
{
	struct smtpd_dkim_field f;
	size_t len = strlen(field);

	smtpd__text_init(&o->text, o->buf, sizeof(o->buf));
	smtpd__dkim_canon_field_init(&f, take, o);
	for (size_t at = 0; at < len; at += step)
		assert_int_equal(smtpd__dkim_canon_field_feed(&f, field + at,
				     len - at < step ? len - at : step),
		    0);
	return o->buf;
}

/* RFC 6376, 3.4.4; the first is the example of RFC 6376, 3.4.5. */
static void
bodies_are_relaxed(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n" },
		{ "", "" },
		{ "\r\n", "" },
		{ "\r\n\r\n\r\n", "" },
		{ " \t \r\n \r\n", "" },
		{ " ", "" },
		{ "a", "a\r\n" },
		{ "a \t", "a\r\n" },
		{ "a\r\n", "a\r\n" },
		{ "a\r\n\r\n \r\n\t\r\n", "a\r\n" },
		{ "a\r\n\r\n \r\nb", "a\r\n\r\n\r\nb\r\n" },
		{ "\r\n\r\na\r\n", "\r\n\r\na\r\n" },
		{ "\t\ta  b\t \tc\r\n", " a b c\r\n" },
		{ ".\r\n..\r\n", ".\r\n..\r\n" },
		{ "\xc3\xa9 \xff\x01\r\n", "\xc3\xa9 \xff\x01\r\n" },
		/* As they are sent. */
		{ "a\nb\rc\r\r\nd\n\n", "a\r\nb\r\nc\r\n\r\nd\r\n" },
		{ "a\n\rb", "a\r\n\r\nb\r\n" },
		{ "a\r \nb", "a\r\n\r\nb\r\n" },
	};
	struct out o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);

		for (size_t step = 1; step <= len + 1; step++)
			assert_string_equal(
			    canon_body(&o, cases[i].in, len, step),
			    cases[i].out);
	}
}

/* RFC 6376, 3.4.2; the first two are the example of RFC 6376, 3.4.5. */
static void
fields_are_relaxed(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "A: X\r\n", "a:X" },
		{ "B : Y\t\r\n\tZ  \r\n", "b:Y Z" },
		{ "SUBJect:AbC\r\n", "subject:AbC" },
		{ "X:\r\n", "x:" },
		{ "X:  \t\r\n \r\n", "x:" },
		{ "X\t :\r\n \r\n\ta\r\n", "x:a" },
		{ "X: a : b: c\r\n", "x:a : b: c" },
		{ "X: a\r\n\r\n", "x:a" },
		{ "X: \xe9\xff \x01\n", "x:\xe9\xff \x01" },
		{ "X:a", "x:a" },
	};
	struct out o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step <= strlen(cases[i].in); step++)
			assert_string_equal(
			    canon_field(&o, cases[i].in, step), cases[i].out);
}

/* Longer than the block that goes to the sink, and than a line may be. */
static void
long_bodies_pass_in_blocks(void **state)
{
	static char in[6001];
	struct out o;

	(void)state;
	for (size_t i = 0; i < sizeof(in) - 1; i++)
		in[i] = i % 3 == 0 ? ' ' : 'x';
	canon_body(&o, in, sizeof(in) - 1, 777);
	assert_int_equal(o.text.len, 6002);
	memset(in, '\n', sizeof(in) - 1);
	in[sizeof(in) - 2] = 'x';
	canon_body(&o, in, 3000, 1);
	assert_int_equal(o.text.len, 0);
	canon_body(&o, in + 3000, 3000, 1000);
	assert_int_equal(o.text.len, 2 * 2999 + 3);
}

static void
a_sink_that_fails_is_reported(void **state)
{
	struct smtpd_dkim_body b;
	struct smtpd_dkim_field f;

	(void)state;
	smtpd__dkim_canon_body_init(&b, refuse, NULL);
	assert_int_equal(smtpd__dkim_canon_body_feed(&b, "a", 1), 0);
	assert_int_equal(smtpd__dkim_canon_body_end(&b), -1);
	smtpd__dkim_canon_field_init(&f, refuse, NULL);
	assert_int_equal(smtpd__dkim_canon_field_feed(&f, "a:", 2), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_relaxed),
		cmocka_unit_test(fields_are_relaxed),
		cmocka_unit_test(long_bodies_pass_in_blocks),
		cmocka_unit_test(a_sink_that_fails_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
