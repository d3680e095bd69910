/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "grammar/reply.h"

#include "test.h"

static struct smtpd_reply
make(int code, const char *enhanced, const char *text)
{
	struct smtpd_reply r = { .code = code };

	snprintf(r.enhanced, sizeof(r.enhanced), "%s", enhanced);
	snprintf(r.text, sizeof(r.text), "%s", text);
	return r;
}

/* RFC 3463, 2 */
static void
codes_and_enhanced_codes_that_go_together(void **state)
{
	static const struct {
		int code;
		const char *enhanced;
		bool valid;
	} cases[] = {
		{ 200, NULL, true },
		{ 250, "", true },
		{ 250, "2.0.0", true },
		{ 354, NULL, true },
		{ 354, "", true },
		{ 421, "4.3.2", true },
		{ 451, "4.123.999", true },
		{ 550, "5.1.1", true },
		{ 559, "5.10.100", true },
		{ 0, NULL, false },
		{ 199, NULL, false },
		{ 600, NULL, false },
		{ 260, NULL, false },
		{ 599, NULL, false },
		{ 999, NULL, false },
		{ -250, NULL, false },
		{ 2500, NULL, false },
		{ 250, "4.0.0", false },
		{ 550, "4.1.1", false },
		{ 421, "5.0.0", false },
		{ 354, "3.0.0", false },
		{ 354, "2.0.0", false },
		{ 250, "2", false },
		{ 250, "2.", false },
		{ 250, "2.0", false },
		{ 250, "2.0.", false },
		{ 250, "2..0", false },
		{ 250, "2.0.0.0", false },
		{ 250, "2.0.0 ", false },
		{ 250, "2.0.0\r\n", false },
		{ 250, " 2.0.0", false },
		{ 250, "2.1000.0", false },
		{ 250, "2.0.1000", false },
		{ 250, "2.01.0", false },
		{ 250, "2.0.00", false },
		{ 250, "2.a.0", false },
		{ 250, "22.0.0", false },
		{ 250, "2-0-0", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (smtpd__reply_is_valid(cases[i].code, cases[i].enhanced) !=
		    cases[i].valid)
			fail_msg("%d %s", cases[i].code,
			    cases[i].enhanced != NULL ? cases[i].enhanced
						      : "NULL");
	}
}

/* RFC 5321, 4.2; RFC 2034, 3 */
static void
replies_on_the_wire(void **state)
{
	static const struct {
		int code;
		const char *enhanced;
		const char *text;
		const char *wire;
	} cases[] = {
		{ 250, "2.0.0", "ok", "250 2.0.0 ok\r\n" },
		{ 250, "", "ok", "250 ok\r\n" },
		{ 250, "2.0.0", "", "250 2.0.0\r\n" },
		{ 250, "", "", "250 \r\n" },
		{ 550, "5.123.456", "no", "550 5.123.456 no\r\n" },
		{ 250, "", "a\nb\nc", "250-a\r\n250-b\r\n250 c\r\n" },
		{ 214, "2.0.0", "a\nb", "214-2.0.0 a\r\n214 2.0.0 b\r\n" },
		{ 250, "2.0.0", "a\n\nb",
		    "250-2.0.0 a\r\n250-2.0.0\r\n250 2.0.0 b\r\n" },
		{ 250, "2.0.0", "a\n", "250-2.0.0 a\r\n250 2.0.0\r\n" },
		{ 250, "", "\n", "250-\r\n250 \r\n" },
		{ 250, "", "a\tb", "250 a b\r\n" },
		{ 250, "", "a\rb\r\nc", "250-a?b?\r\n250 c\r\n" },
		{ 250, "", "\001\033[0m\177", "250 ??[0m?\r\n" },
		{ 250, "", "\303\251", "250 ??\r\n" },
		{ 250, "", " a  b ", "250  a  b \r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_reply r =
		    make(cases[i].code, cases[i].enhanced, cases[i].text);
		char buf[SMTPD_REPLY_WIRE_MAX];
		size_t n = smtpd__reply_write(&r, buf, sizeof(buf));

		assert_int_equal(n, strlen(cases[i].wire));
		assert_memory_equal(buf, cases[i].wire, n);
	}
}

/* The lengths of the lines of BUF with their CRLF, 0 behind the last. */
static void
line_lengths(const char *buf, size_t len, size_t *lengths, size_t max)
{
	size_t count = 0;

	memset(lengths, 0, max * sizeof(*lengths));
	for (size_t i = 0; i < len && count < max; i++) {
		lengths[count]++;
		count += buf[i] == '\n';
	}
}

/* RFC 5321, 4.5.3.1.5 */
static void
long_lines_are_split_at_512_octets(void **state)
{
	struct smtpd_reply r = make(250, "2.0.0", "");
	char buf[SMTPD_REPLY_WIRE_MAX];
	size_t lengths[4];
	size_t n;

	(void)state;
	/* "250 2.0.0 " and CRLF leave room for 500. */
	memset(r.text, 'x', 500);
	n = smtpd__reply_write(&r, buf, sizeof(buf));
	line_lengths(buf, n, lengths, COUNT(lengths));
	assert_int_equal(lengths[0], 512);
	assert_int_equal(lengths[1], 0);
	memset(r.text, 'x', 1000);
	n = smtpd__reply_write(&r, buf, sizeof(buf));
	line_lengths(buf, n, lengths, COUNT(lengths));
	assert_int_equal(lengths[0], 512);
	assert_int_equal(lengths[1], 512);
	assert_int_equal(lengths[2], 0);
	assert_memory_equal(buf, "250-2.0.0 xxx", 13);
	assert_memory_equal(buf + 512, "250 2.0.0 xxx", 13);
}

static void
long_lines_are_split_at_a_space(void **state)
{
	static const struct {
		size_t space;
		size_t first;
		size_t second;
	} cases[] = {
		{ 400, 412, 611 - 400 },
		{ 499, 511, 611 - 499 },
		{ 500, 512, 611 - 500 },
		{ 501, 512, 12 + 100 },
		{ 0, 512, 12 + 100 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_reply r = make(250, "2.0.0", "");
		char buf[SMTPD_REPLY_WIRE_MAX];
		size_t lengths[4];
		size_t n;

		memset(r.text, 'x', 600);
		r.text[cases[i].space] = ' ';
		n = smtpd__reply_write(&r, buf, sizeof(buf));
		line_lengths(buf, n, lengths, COUNT(lengths));
		assert_int_equal(lengths[0], cases[i].first);
		assert_int_equal(lengths[1], cases[i].second);
		assert_int_equal(lengths[2], 0);
	}
}

static void
a_space_at_the_split_makes_no_empty_line(void **state)
{
	struct smtpd_reply r = make(250, "2.0.0", "");
	char buf[SMTPD_REPLY_WIRE_MAX];

	(void)state;
	memset(r.text, 'x', 500);
	r.text[500] = ' ';
	assert_int_equal(smtpd__reply_write(&r, buf, sizeof(buf)), 512);
	assert_memory_equal(buf, "250 ", 4);
}

static void
the_promised_buffer_always_suffices(void **state)
{
	static const char fills[] = { '\n', 'x', ' ', '\t', '\377' };
	char buf[SMTPD_REPLY_WIRE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(fills); i++) {
		struct smtpd_reply r = make(550, "5.123.456", "");

		memset(r.text, fills[i], SMTPD_REPLY_TEXT_MAX);
		assert_true(smtpd__reply_write(&r, buf, sizeof(buf)) > 0);
		for (size_t k = 0; k < SMTPD_REPLY_TEXT_MAX; k += 2)
			r.text[k] = '\n';
		assert_true(smtpd__reply_write(&r, buf, sizeof(buf)) > 0);
	}
}

static void
too_small_a_buffer_gives_nothing(void **state)
{
	struct smtpd_reply r = make(250, "2.0.0", "a\nb");
	size_t len = strlen("250-2.0.0 a\r\n250 2.0.0 b\r\n");

	(void)state;
	for (size_t size = 0; size <= len + 1; size++) {
		char *buf = test_malloc(size + 1);

		assert_int_equal(
		    smtpd__reply_write(&r, buf, size), size > len ? len : 0);
		test_free(buf);
	}
}

/* RFC 6531, 3.7.4: Characters stay whole, where the client takes them. */
static void
replies_in_utf8(void **state)
{
	static char buf[SMTPD_REPLY_WIRE_MAX];
	struct smtpd_reply r = make(550, "5.1.1", "<\303\274>\t\377\302\205");
	size_t len;

	(void)state;
	len = smtpd__reply_write(&r, buf, sizeof(buf));
	assert_string_equal(buf, "550 5.1.1 <\?\?> \?\?\?\r\n");
	r.utf8 = true;
	len = smtpd__reply_write(&r, buf, sizeof(buf));
	assert_string_equal(buf, "550 5.1.1 <\303\274> \?\?\r\n");
	assert_int_equal(len, strlen(buf));
	/* Broken where there is no space. */
	for (size_t i = 0; i < 600; i++)
		memcpy(r.text + 2 * i, "\303\274", 3);
	len = smtpd__reply_write(&r, buf, sizeof(buf));
	assert_null(memchr(buf, '?', len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_and_enhanced_codes_that_go_together),
		cmocka_unit_test(replies_on_the_wire),
		cmocka_unit_test(replies_in_utf8),
		cmocka_unit_test(long_lines_are_split_at_512_octets),
		cmocka_unit_test(long_lines_are_split_at_a_space),
		cmocka_unit_test(a_space_at_the_split_makes_no_empty_line),
		cmocka_unit_test(the_promised_buffer_always_suffices),
		cmocka_unit_test(too_small_a_buffer_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
