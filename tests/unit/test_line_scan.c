/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "grammar/dot.h"

#include "test.h"

/* The strings that are tried have at most so many bytes. */
#define LONGEST 7

#define MAX_LINE 5

struct result {
	char out[64];
	size_t len;
	unsigned found;
};

/* Scan LEN bytes at IN, with output of SIZE bytes at a time. */
static void
scan(struct smtpd_line_scan *l, const char *in, size_t len, size_t size,
    struct result *r)
{
	while (len > 0) {
		size_t before = len;

		r->len +=
		    smtpd__line_scan_block(l, &in, &len, r->out + r->len, size);
		assert_true(len < before);
	}
}

/* What LEN bytes at IN are as chunks, the first of SPLIT bytes. */
static struct result
in_chunks(const char *in, size_t len, size_t split, size_t size)
{
	struct result r = { .len = 0 };
	struct smtpd_line_scan l;

	smtpd__line_scan_init(&l, MAX_LINE);
	scan(&l, in, split, size, &r);
	scan(&l, in + split, len - split, size, &r);
	r.len += smtpd__line_scan_end(&l, r.out + r.len);
	r.found = l.found;
	return r;
}

/* What they are in DATA, which cannot leave a line without its end. */
static struct result
in_data(const char *in, size_t len)
{
	struct result r = { .len = 0 };
	char text[LONGEST + 8];
	const char *at = text;
	struct smtpd_dot d;
	bool bare_lf =
	    len > 0 && in[len - 1] == '\n' && (len == 1 || in[len - 2] != '\r');
	bool ended =
	    len == 0 || (len > 1 && in[len - 2] == '\r' && in[len - 1] == '\n');

	memcpy(text, in, len);
	if (!ended) {
		memcpy(text + len, "\r\n", 2);
		len += 2;
	}
	memcpy(text + len, ".\r\n", 3);
	len += 3;
	smtpd__dot_init(&d, MAX_LINE);
	r.len = smtpd__dot_decode(&d, &at, &len, r.out, sizeof(r.out));
	assert_true(d.done && len == 0);
	/* Only so a bare LF can come before the end of DATA. */
	if (bare_lf)
		r.len -= 2;
	r.found = d.lines.found;
	return r;
}

/* RFC 3030, 2: A message in chunks is what it would be by DATA, wherever they
 * are divided: all strings of the bytes that matter. */
static void
chunks_hold_what_data_would(void **state)
{
	static const char letters[] = { 'a', '\r', '\n', '\0' };
	char in[LONGEST];

	(void)state;
	for (size_t len = 0; len <= LONGEST; len++) {
		for (size_t n = 0; n < (size_t)1 << (2 * len); n++) {
			struct result data;

			for (size_t i = 0; i < len; i++)
				in[i] = letters[n >> (2 * i) & 3];
			data = in_data(in, len);
			for (size_t split = 0; split <= len; split++) {
				struct result r =
				    in_chunks(in, len, split, 2 + split);
				unsigned line = SMTPD_LINE_SCAN_LONG_LINE;

				assert_int_equal(r.len, data.len);
				assert_memory_equal(r.out, data.out, r.len);
				/* The end that was added counts in DATA. */
				assert_int_equal(
				    r.found & ~line, data.found & ~line);
				assert_int_equal(
				    r.found & line & ~data.found, 0);
			}
		}
	}
}

/* A message that nobody wants is dropped in one call. */
static void
nothing_is_kept_without_room(void **state)
{
	static const char text[] = "a\nb\r\n\0c\r";
	const char *at = text;
	size_t len = sizeof(text) - 1;
	struct smtpd_line_scan l;

	(void)state;
	smtpd__line_scan_init(&l, MAX_LINE);
	assert_int_equal(smtpd__line_scan_block(&l, &at, &len, NULL, 0), 0);
	assert_int_equal(len, 0);
	assert_int_equal(
	    l.found, SMTPD_LINE_SCAN_BARE_LF | SMTPD_LINE_SCAN_NUL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_hold_what_data_would),
		cmocka_unit_test(nothing_is_kept_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
