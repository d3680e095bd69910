/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "grammar/dot_encode.h"

#include "test.h"

/* A message, and how it goes over the wire. */
static const struct {
	const char *in;
	const char *out;
} cases[] = {
	{ "", ".\r\n" },
	{ "a", "a\r\n.\r\n" },
	{ "a\r\n", "a\r\n.\r\n" },
	{ "a\n", "a\r\n.\r\n" },
	{ "a\r", "a\r\n.\r\n" },
	{ "\n", "\r\n.\r\n" },
	{ "\r", "\r\n.\r\n" },
	{ "\r\n", "\r\n.\r\n" },
	{ "\r\r\n", "\r\n\r\n.\r\n" },
	{ "\n\r", "\r\n\r\n.\r\n" },
	{ "\n\n", "\r\n\r\n.\r\n" },
	{ "a\rb\nc\r\nd", "a\r\nb\r\nc\r\nd\r\n.\r\n" },
	{ ".", "..\r\n.\r\n" },
	{ "..", "...\r\n.\r\n" },
	{ ".\r\n", "..\r\n.\r\n" },
	{ "a.b", "a.b\r\n.\r\n" },
	{ "a\r\n.", "a\r\n..\r\n.\r\n" },
	{ "a\n.", "a\r\n..\r\n.\r\n" },
	{ "a\r.", "a\r\n..\r\n.\r\n" },
	/* what would end the message, or smuggle another */
	{ "a\r\n.\r\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "a\n.\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "a\r.\rMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "a\n.\r\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "a\r\n.\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n" },
	{ "a\r\n\r.\r\nMAIL", "a\r\n\r\n..\r\nMAIL\r\n.\r\n" },
};

/* And how by BDAT. */
static const struct {
	const char *in;
	const char *out;
} undotted[] = {
	{ "", "" },
	{ "a", "a\r\n" },
	{ "a\r", "a\r\n" },
	{ "a\r\n", "a\r\n" },
	{ ".", ".\r\n" },
	{ "..\n.\n", "..\r\n.\r\n" },
	{ "a\r.\rMAIL\n\r\n", "a\r\n.\r\nMAIL\r\n\r\n" },
};

/* Encode by pieces of input of CHUNK bytes and of output of SIZE. */
static size_t
encode(const char *in, size_t len, size_t chunk, size_t size, char *out,
    bool no_dots)
{
	struct smtpd_dot_encoder e = { .no_dots = no_dots };
	size_t used = 0;

	for (size_t at = 0; at < len; at += chunk) {
		const char *piece = in + at;
		size_t left = len - at < chunk ? len - at : chunk;

		while (left > 0) {
			size_t n = smtpd__dot_encode(
			    &e, &piece, &left, out + used, size);

			assert_true(n <= size);
			used += n;
		}
	}
	return used + smtpd__dot_encode_end(&e, out + used);
}

/* RFC 5321, 4.5.2; RFC 5321, 2.3.8 */
static void
messages_are_made_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t chunk = 1; chunk < 12; chunk++)
			for (size_t size = 3; size < 16; size++) {
				char out[128];
				size_t n =
				    encode(cases[i].in, strlen(cases[i].in),
					chunk, size, out, false);

				assert_int_equal(n, strlen(cases[i].out));
				assert_memory_equal(out, cases[i].out, n);
			}
}

static void
bdat_has_no_dots(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(undotted); i++)
		for (size_t chunk = 1; chunk < 12; chunk++)
			for (size_t size = 3; size < 16; size++) {
				char out[128];
				size_t n = encode(undotted[i].in,
				    strlen(undotted[i].in), chunk, size, out,
				    true);

				assert_int_equal(n, strlen(undotted[i].out));
				assert_memory_equal(out, undotted[i].out, n);
			}
}

/* A long one by large pieces, against one byte at a time. */
static void
pieces_make_no_difference(void **state)
{
	static const char bytes[] = "ab.\r\n\n.\r.x\r\n";
	const size_t len = 20000;
	char *in = malloc(len);
	char *out = malloc(3 * len);
	char *again = malloc(3 * len);
	unsigned seed = 1;
	size_t n;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		in[i] = bytes[(seed >> 16) % (sizeof(bytes) - 1)];
	}
	n = encode(in, len, len, 3 * len, out, false);
	assert_int_equal(encode(in, len, 1, 3, again, false), n);
	assert_memory_equal(out, again, n);
	assert_int_equal(encode(in, len, 777, 1000, again, false), n);
	assert_memory_equal(out, again, n);
	free(again);
	free(out);
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_made_safe),
		cmocka_unit_test(bdat_has_no_dots),
		cmocka_unit_test(pieces_make_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
