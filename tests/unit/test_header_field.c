/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "grammar/header_field.h"

#include "test.h"

/* The field that HEADER begins with, as "name|value|raw"; NULL: there is
 * none. */
static const char *
show_first(const char *header)
{
	static char shown[512];
	struct smtpd_header_field f;
	size_t left = strlen(header);
	const char *at = header;
	char value[256];

	if (!smtpd_header_next(&at, &left, &f))
		return NULL;
	assert_true(smtpd_header_value(&f, value, sizeof(value)) >= 0);
	assert_ptr_equal(at, f.raw + f.raw_len);
	assert_int_equal(left, strlen(at));
	assert_ptr_equal(f.raw, header);
	assert_ptr_equal(f.value + f.value_len, f.raw + f.raw_len);
	snprintf(shown, sizeof(shown), "%.*s|%s|%.*s", (int)f.name_len, f.name,
	    value, (int)f.raw_len, f.raw);
	return shown;
}

static void
fields_are_taken_apart(void **state)
{
	static const struct {
		const char *header, *shown;
	} cases[] = {
		{ "A: b\r\nC: d\r\n", "A|b|A: b\r\n" },
		{ "A: b\r\n\r\nC: d\r\n", "A|b|A: b\r\n" },
		{ "A:b\nC: d\n", "A|b|A:b\n" },
		{ "A: b", "A|b|A: b" },
		{ "A:\r\n", "A||A:\r\n" },
		{ "A:", "A||A:" },
		{ "A:  \r\n \t\r\nB: c", "A||A:  \r\n \t\r\n" },
		{ "A \t: b\r\n", "A|b|A \t: b\r\n" },
		/* RFC 5322, 2.2: Unfolding removes line ends alone. */
		{ "A: b\r\n  c\r\n\td \r\nB:",
		    "A|b  c\td|A: b\r\n  c\r\n\td \r\n" },
		{ "A: b\n c\n", "A|b c|A: b\n c\n" },
		{ "A:\r\n b: c\r\n", "A|b: c|A:\r\n b: c\r\n" },
		{ "A: b\rc\r\n", "A|b\rc|A: b\rc\r\n" },
		{ "A: b\r\nbody\r\n", "A|b|A: b\r\n" },
		{ "", NULL },
		{ "\r\nA: b\r\n", NULL },
		{ "\nA: b\r\n", NULL },
		{ "body\r\n", NULL },
		{ " A: b\r\n", NULL },
		{ ": b\r\n", NULL },
		{ "From a@b Thu\r\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *shown = show_first(cases[i].header);

		if (cases[i].shown == NULL)
			assert_null(shown);
		else
			assert_string_equal(shown, cases[i].shown);
	}
}

static void
fields_are_gone_through(void **state)
{
	static const char header[] =
	    "Received: x\r\n y\r\nsubject: hello\r\n\r\nSubject: body\r\n";
	const char *at = header;
	size_t left = strlen(header);
	struct smtpd_header_field f;

	(void)state;
	assert_true(smtpd_header_next(&at, &left, &f));
	assert_true(smtpd_header_is(&f, "received"));
	assert_false(smtpd_header_is(&f, "Receive"));
	assert_false(smtpd_header_is(&f, "Received-SPF"));
	assert_true(smtpd_header_next(&at, &left, &f));
	assert_true(smtpd_header_is(&f, "Subject"));
	assert_false(smtpd_header_next(&at, &left, &f));
	/* What follows is where it was. */
	assert_string_equal(at, "\r\nSubject: body\r\n");
	assert_int_equal(left, strlen(at));
}

static void
values_need_room(void **state)
{
	const char *at = "A: \r\n bcd \r\n";
	size_t left = strlen(at);
	struct smtpd_header_field f;
	char buf[4];

	(void)state;
	assert_true(smtpd_header_next(&at, &left, &f));
	for (size_t size = 0; size < sizeof(buf); size++) {
		errno = 0;
		assert_int_equal(smtpd_header_value(&f, buf, size), -1);
		assert_int_equal(errno, ERANGE);
	}
	assert_int_equal(smtpd_header_value(&f, buf, 4), 3);
	assert_string_equal(buf, "bcd");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_taken_apart),
		cmocka_unit_test(fields_are_gone_through),
		cmocka_unit_test(values_need_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
