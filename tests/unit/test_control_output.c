/* SPDX-License-Identifier: MIT */
#include "queue/control/output.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* What was handed on. */
struct heard {
	char text[32768];
	size_t len;
	int calls;
	int limit; /* calls before it wants no more */
};

static int
hear(void *user, const void *data, size_t len)
{
	struct heard *h = user;

	if (h->calls++ >= h->limit)
		return -1;
	assert_true(len < sizeof(h->text) - h->len);
	memcpy(h->text + h->len, data, len);
	h->len += len;
	h->text[h->len] = '\0';
	return 0;
}

/* RFC 8259, 7; RFC 3629, 4 */
static void
json_is_always_valid(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "a@b.example", "\"a@b.example\"" },
		{ "say \"hi\" \\o/", "\"say \\\"hi\\\" \\\\o/\"" },
		{ "\t\r\n\x01\x7f", "\"\\u0009\\u000d\\u000a\\u0001\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xab",
		    "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xab\"" },
		{ "\xfc", "\"\\u00fc\"" },
		{ "a\xffz", "\"a\\u00ffz\"" },
		/* Cut off, over-long, a surrogate, beyond the last. */
		{ "\xe2\x82", "\"\\u00e2\\u0082\"" },
		{ "\xc0\xaf", "\"\\u00c0\\u00af\"" },
		{ "\xe0\x80\xaf", "\"\\u00e0\\u0080\\u00af\"" },
		{ "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" },
		{ "\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
		/* A control of C1. */
		{ "\xc2\x9b"
		  "2J",
		    "\"\\u009b2J\"" },
		{ NULL, "null" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heard h = { .limit = 10 };
		struct smtpd_control_output a;

		smtpd__control_output_init(&a, hear, &h);
		smtpd__control_output_json(&a, cases[i].in);
		assert_int_equal(smtpd__control_output_end(&a), 0);
		assert_string_equal(h.text, cases[i].out);
	}
}

/* RFC 3629, 4 */
static void
nothing_steers_a_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "\x1b[2Jx\x07\r\n", "?[2Jx???" },
		{ "\xc2\x9b"
		  "2J",
		    "?2J" },
		{ "\x9b", "?" },
		{ "gr\xc3\xbcn", "gr\xc3\xbcn" },
		{ "\xe2\x80\xae"
		  "evil",
		    "?evil" },
		{ "a\xe2\x80\x8b"
		  "b",
		    "a?b" },
		{ "\xef\xbb\xbf", "?" },
		{ "\xf3\xa0\x80\x81", "?" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heard h = { .limit = 10 };
		struct smtpd_control_output a;

		smtpd__control_output_init(&a, hear, &h);
		smtpd__control_output_shown(
		    &a, cases[i].in, strlen(cases[i].in));
		assert_int_equal(smtpd__control_output_end(&a), 0);
		assert_string_equal(h.text, cases[i].out);
	}
}

static void
each_line_is_indented(void **state)
{
	static const char lines[] = "one\n\nt\x1bo\nno end";
	struct heard h = { .limit = 10 };
	struct smtpd_control_output a;

	(void)state;
	smtpd__control_output_init(&a, hear, &h);
	smtpd__control_output_lines(&a, "> ", lines, strlen(lines));
	assert_int_equal(smtpd__control_output_end(&a), 0);
	assert_string_equal(h.text, "> one\n> \n> t?o\n> no end\n");
}

static void
times_and_spans(void **state)
{
	static const struct {
		uint32_t seconds;
		const char *text;
	} cases[] = { { 0, "0s" }, { 59, "59s" }, { 60, "1m00s" },
		{ 3599, "59m59s" }, { 3600, "1h00m" }, { 172799, "47h59m" },
		{ 172800, "2d00h" }, { 432000, "5d00h" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heard h = { .limit = 10 };
		struct smtpd_control_output a;

		smtpd__control_output_init(&a, hear, &h);
		smtpd__control_output_span(&a, cases[i].seconds);
		smtpd__control_output_add(&a, " ");
		smtpd__control_output_time(&a, UINT64_C(1136214245678));
		smtpd__control_output_end(&a);
		assert_memory_equal(
		    h.text, cases[i].text, strlen(cases[i].text));
		assert_string_equal(
		    h.text + strlen(cases[i].text), " 2006-01-02T15:04:05Z");
	}
}

static void
blocks_come_in_order(void **state)
{
	struct heard h = { .limit = 100 };
	struct smtpd_control_output a;
	char large[5000];

	(void)state;
	memset(large, 'x', sizeof(large));
	smtpd__control_output_init(&a, hear, &h);
	smtpd__control_output_add(&a, "begin ");
	smtpd__control_output_bytes(&a, large, sizeof(large));
	for (int i = 0; i < 1000; i++)
		smtpd__control_output_add(&a, "12345");
	assert_int_equal(smtpd__control_output_end(&a), 0);
	assert_int_equal(h.len, 6 + 5000 + 5000);
	assert_int_equal(a.total, h.len);
	assert_memory_equal(h.text, "begin xxx", 9);
	assert_string_equal(h.text + h.len - 10, "1234512345");
	assert_true(h.calls < 10);
}

static void
who_wants_no_more_is_not_asked_again(void **state)
{
	struct heard h = { .limit = 1 };
	struct smtpd_control_output a;
	char large[5000] = { 'x' };

	(void)state;
	smtpd__control_output_init(&a, hear, &h);
	for (int i = 0; i < 5; i++)
		smtpd__control_output_bytes(&a, large, sizeof(large));
	assert_true(a.failed);
	assert_int_equal(smtpd__control_output_end(&a), -1);
	assert_int_equal(h.calls, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_always_valid),
		cmocka_unit_test(nothing_steers_a_terminal),
		cmocka_unit_test(each_line_is_indented),
		cmocka_unit_test(times_and_spans),
		cmocka_unit_test(blocks_come_in_order),
		cmocka_unit_test(who_wants_no_more_is_not_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
