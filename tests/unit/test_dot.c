/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/dot.h"

#include "test.h"

/* Octets of a line that the tests allow, unless they are about it. */
#define LINE 1000

/* What a message decodes to. */
struct result {
	char out[64];
	size_t len;  /* of it */
	size_t used; /* of the input */
	unsigned found;
	bool done;
};

/* Decode with output of SIZE bytes at a time all that is between FROM and TO
 * of IN. */
static void
feed(struct smtpd_dot *d, const char *in, size_t from, size_t to, size_t size,
    struct result *r)
{
	const char *at = in + from;
	size_t len = to - from;

	while (len > 0 && !d->done) {
		char out[64];
		size_t before = len;
		size_t n = smtpd__dot_decode(d, &at, &len, out, size);

		assert_true(n <= size && n <= sizeof(r->out) - r->len);
		assert_true(len < before);
		memcpy(r->out + r->len, out, n);
		r->len += n;
	}
	r->used += to - from - len;
	r->found = d->lines.found;
	r->done = d->done;
}

/* Decode in two pieces, the first of SPLIT bytes. */
static struct result
decode(const char *in, size_t len, size_t split, size_t size, uint32_t max_line)
{
	struct result r = { .len = 0 };
	struct smtpd_dot d;

	smtpd__dot_init(&d, max_line);
	feed(&d, in, 0, split, size, &r);
	feed(&d, in, split, len, size, &r);
	return r;
}

static struct result
decode_by_bytes(const char *in, size_t len, size_t size, uint32_t max_line)
{
	struct result r = { .len = 0 };
	struct smtpd_dot d;

	smtpd__dot_init(&d, max_line);
	for (size_t i = 0; i < len; i++)
		feed(&d, in, i, i + 1, size, &r);
	return r;
}

static struct result
decode_and_drop(const char *in, size_t len, uint32_t max_line)
{
	struct result r = { .len = 0 };
	struct smtpd_dot d;
	size_t left = len;

	smtpd__dot_init(&d, max_line);
	assert_int_equal(smtpd__dot_decode(&d, &in, &left, NULL, 0), 0);
	r.used = len - left;
	r.found = d.lines.found;
	r.done = d.done;
	return r;
}

/* RU5: CRs in a row stand for a space, unless the end of the line, TEXT bytes
 * away, follows. */
static bool
is_space(const char *line, size_t i, size_t text, bool crlf)
{
	if (line[i] != '\r' || (i > 0 && line[i - 1] == '\r'))
		return false;
	while (i < text && line[i] == '\r')
		i++;
	return i < text || !crlf;
}

/* What one line, its end included, is by the rules: written without regard to
 * time, with the whole line at hand. */
static bool
expect_line(const char *line, size_t len, bool after_crlf, uint32_t max_line,
    struct result *r)
{
	bool crlf = len >= 2 && line[len - 2] == '\r';
	size_t text = len - (crlf ? 2 : 1);

	if (after_crlf && line[0] == '.') {
		if (crlf && text == 1)
			return true;
		line++;
		len--;
		text--;
	}
	for (size_t i = 0; i < text; i++) {
		if (line[i] == '\0')
			r->found |= SMTPD_LINE_SCAN_NUL;
		if (line[i] == '\r')
			r->found |= SMTPD_LINE_SCAN_BARE_CR;
		if (is_space(line, i, text, crlf))
			r->out[r->len++] = ' ';
		if (line[i] != '\0' && line[i] != '\r')
			r->out[r->len++] = line[i];
	}
	r->out[r->len++] = '\r';
	r->out[r->len++] = '\n';
	if (!crlf)
		r->found |= SMTPD_LINE_SCAN_BARE_LF;
	if (len > max_line)
		r->found |= SMTPD_LINE_SCAN_LONG_LINE;
	return false;
}

static struct result
expect(const char *in, size_t len, uint32_t max_line)
{
	struct result r = { .len = 0 };
	bool after_crlf = true;
	size_t start = 0;

	for (size_t i = 0; i < len && !r.done; i++) {
		if (in[i] != '\n')
			continue;
		r.done = expect_line(
		    in + start, i + 1 - start, after_crlf, max_line, &r);
		after_crlf = i > start && in[i - 1] == '\r';
		start = i + 1;
	}
	r.used = start;
	return r;
}

static void
assert_same(const struct result *a, const struct result *b)
{
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->found, b->found);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->out, b->out, a->len);
}

/* Decode IN in every way. */
static void
check(const char *in, size_t len, uint32_t max_line)
{
	static const size_t sizes[] = { 4, 5, 7 };
	struct result want = expect(in, len, max_line);
	struct result got;

	assert_true(want.done);
	for (size_t split = 0; split <= len; split++) {
		got = decode(in, len, split, 64, max_line);
		assert_same(&got, &want);
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		got = decode(in, len, 0, sizes[i], max_line);
		assert_same(&got, &want);
		got = decode(in, len, len / 2, sizes[i], max_line);
		assert_same(&got, &want);
	}
	got = decode_by_bytes(in, len, 4, max_line);
	assert_same(&got, &want);
	got = decode_and_drop(in, len, max_line);
	want.len = 0;
	assert_same(&got, &want);
}

/* Strings of this length of CR, LF, ".", NUL and "x". */
#define ALL_LENGTH 8

static void
all_strings_around_the_end(void **state)
{
	static const char alphabet[] = { '\r', '\n', '.', '\0', 'x' };
	static const char end[] = "x\r\n.\r\n";
	unsigned total = 1;

	(void)state;
	for (size_t len = 0; len <= ALL_LENGTH; len++, total *= 5) {
		for (unsigned n = 0; n < total; n++) {
			char in[ALL_LENGTH + sizeof(end)];
			unsigned rest = n;

			for (size_t i = 0; i < len; i++, rest /= 5)
				in[i] = alphabet[rest % 5];
			memcpy(in + len, end, sizeof(end) - 1);
			check(in, len + sizeof(end) - 1, 4);
		}
	}
}

/* RFC 5321, 4.5.2; RFC 5321, 4.1.1.4 */
static void
rules_of_the_end(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
		size_t out_len;
		unsigned found;
		size_t rest; /* bytes left behind the end; NONE: no end */
	} cases[] = {
#define IN(s) s, sizeof(s) - 1
#define NONE  999
		{ IN(".\r\n"), IN(""), 0, 0 },
		{ IN(".\r\nQUIT\r\n"), IN(""), 0, 6 },
		{ IN("\r\n.\r\n"), IN("\r\n"), 0, 0 },
		{ IN("a\r\n.\r\n.\r\n"), IN("a\r\n"), 0, 3 },
		{ IN("a\r\n..\r\n.\r\n"), IN("a\r\n.\r\n"), 0, 0 },
		{ IN("a\r\n...\r\n.\r\n"), IN("a\r\n..\r\n"), 0, 0 },
		{ IN(".a\r\n.b.\r\n.\r\n"), IN("a\r\nb.\r\n"), 0, 0 },
		{ IN("a.\r\n.\r\n"), IN("a.\r\n"), 0, 0 },
		{ IN("a.\r\n"), IN("a.\r\n"), 0, NONE },
		{ IN("a\r\n. \r\n"), IN("a\r\n \r\n"), 0, NONE },
		{ IN("a\n.\n"), IN("a\r\n.\r\n"), SMTPD_LINE_SCAN_BARE_LF,
		    NONE },
		{ IN("a\n.\r\n"), IN("a\r\n.\r\n"), SMTPD_LINE_SCAN_BARE_LF,
		    NONE },
		{ IN("a\n..\r\n"), IN("a\r\n..\r\n"), SMTPD_LINE_SCAN_BARE_LF,
		    NONE },
		{ IN("a\r\n.\n"), IN("a\r\n\r\n"), SMTPD_LINE_SCAN_BARE_LF,
		    NONE },
		{ IN("a\r\n.\n.\r\n"), IN("a\r\n\r\n.\r\n"),
		    SMTPD_LINE_SCAN_BARE_LF, NONE },
		{ IN("a\r.\r\n"), IN("a .\r\n"), SMTPD_LINE_SCAN_BARE_CR,
		    NONE },
		{ IN("a\r\n.\rb"), IN("a\r\n b"), SMTPD_LINE_SCAN_BARE_CR,
		    NONE },
		{ IN("a\r\n.\r.\r\n"), IN("a\r\n .\r\n"),
		    SMTPD_LINE_SCAN_BARE_CR, NONE },
		{ IN("a\r\n.\r\r\n"), IN("a\r\n\r\n"), SMTPD_LINE_SCAN_BARE_CR,
		    NONE },
		{ IN("a\r\r\n.\r\n"), IN("a\r\n"), SMTPD_LINE_SCAN_BARE_CR, 0 },
		{ IN("a\n\r.\r\n"), IN("a\r\n .\r\n"),
		    SMTPD_LINE_SCAN_BARE_CR | SMTPD_LINE_SCAN_BARE_LF, NONE },
		{ IN("a\r\n.\0\r\n"), IN("a\r\n\r\n"), SMTPD_LINE_SCAN_NUL,
		    NONE },
		{ IN("a\r\n\0.\r\n"), IN("a\r\n.\r\n"), SMTPD_LINE_SCAN_NUL,
		    NONE },
		{ IN("a\r\0\n.\r\n"), IN("a \r\n.\r\n"),
		    SMTPD_LINE_SCAN_NUL | SMTPD_LINE_SCAN_BARE_CR |
			SMTPD_LINE_SCAN_BARE_LF,
		    NONE },
		{ IN("\0a\0\0\r\n.\r\n"), IN("a\r\n"), SMTPD_LINE_SCAN_NUL, 0 },
		{ IN("\303\251\377\r\n.\r\n"), IN("\303\251\377\r\n"), 0, 0 },
#undef IN
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct result got =
		    decode(cases[i].in, cases[i].len, 0, 64, LINE);
		bool done = cases[i].rest != NONE;

		assert_int_equal(got.done, done);
		assert_int_equal(got.found, cases[i].found);
		assert_int_equal(
		    cases[i].len - got.used, done ? cases[i].rest : 0);
		assert_int_equal(got.len, cases[i].out_len);
		assert_memory_equal(got.out, cases[i].out, got.len);
	}
}

static void
lines_are_measured_as_sent(void **state)
{
	static const struct {
		const char *in;
		uint32_t max_line;
		bool too_long;
	} cases[] = {
		{ "abc\r\n.\r\n", 5, false },
		{ "abc\r\n.\r\n", 4, true },
		{ ".abc\r\n.\r\n", 5, false },
		{ ".abc\r\n.\r\n", 4, true },
		{ "..bc\r\n.\r\n", 5, false },
		{ "a\r\nb\r\nc\r\n.\r\n", 3, false },
		{ "ab\nab\nab\n", 3, false },
		{ "ab\nabc\n", 3, true },
		{ ".\r\n", 1, false },
		{ "\r\n.\r\n", 2, false },
		{ "\r\n.\r\n", 1, true },
		{ "abcd", 3, true },
		{ "abc", 3, false },
		{ ".\rabc", 4, false },
		{ ".\rabc", 3, true },
		{ ".a\rb", UINT32_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);

		for (size_t split = 0; split <= len; split++) {
			struct result got = decode(
			    cases[i].in, len, split, 7, cases[i].max_line);

			assert_int_equal(
			    (got.found & SMTPD_LINE_SCAN_LONG_LINE) != 0,
			    cases[i].too_long);
		}
	}
}

static void
the_length_of_a_line_does_not_wrap(void **state)
{
	const char *in = "ab\r\n";
	size_t len = 4;
	struct smtpd_dot d;
	char out[8];

	(void)state;
	smtpd__dot_init(&d, UINT32_MAX - 2);
	smtpd__dot_decode(&d, &in, &(size_t){ 1 }, out, sizeof(out));
	d.lines.line = UINT32_MAX - 1;
	len = 2;
	smtpd__dot_decode(&d, &in, &len, out, sizeof(out));
	assert_true((d.lines.found & SMTPD_LINE_SCAN_LONG_LINE) != 0);
	assert_int_equal(d.lines.line, UINT32_MAX);
}

static void
nothing_is_taken_after_the_end(void **state)
{
	const char *in = "a\r\n.\r\nQUIT\r\n";
	const char *rest = in + 6;
	size_t len = strlen(in);
	struct smtpd_dot d;
	char out[64];

	(void)state;
	smtpd__dot_init(&d, LINE);
	assert_int_equal(smtpd__dot_decode(&d, &in, &len, out, sizeof(out)), 3);
	assert_true(d.done);
	assert_ptr_equal(in, rest);
	assert_int_equal(len, 6);
	assert_int_equal(smtpd__dot_decode(&d, &in, &len, out, sizeof(out)), 0);
	assert_ptr_equal(in, rest);
	assert_int_equal(len, 6);
}

static void
output_is_filled_as_far_as_it_goes(void **state)
{
	char in[256];
	char out[64];

	(void)state;
	memset(in, '\0', sizeof(in));
	memset(in + 100, 'x', sizeof(in) - 100);
	for (size_t size = 4; size <= sizeof(out); size++) {
		const char *at = in;
		size_t len = sizeof(in);
		struct smtpd_dot d;
		size_t n;

		smtpd__dot_init(&d, LINE);
		n = smtpd__dot_decode(&d, &at, &len, out, size);
		assert_true(n + 1 >= size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_the_end),
		cmocka_unit_test(all_strings_around_the_end),
		cmocka_unit_test(lines_are_measured_as_sent),
		cmocka_unit_test(the_length_of_a_line_does_not_wrap),
		cmocka_unit_test(nothing_is_taken_after_the_end),
		cmocka_unit_test(output_is_filled_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
