/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/hash.h"

#include "test.h"

/* The published values of FNV-1a in 32 bits. */
static void
known_values(void **state)
{
	(void)state;
	assert_int_equal(smtpd__hash_text(SMTPD_HASH_START, ""), 0x811c9dc5);
	assert_int_equal(smtpd__hash_text(SMTPD_HASH_START, "a"), 0xe40c292c);
	assert_int_equal(
	    smtpd__hash_text(SMTPD_HASH_START, "foobar"), 0xbf9cf968);
}

static void
bytes_and_text_hash_alike(void **state)
{
	static const char text[] = "mail.example.org";
	uint32_t part = smtpd__hash_bytes(7, text, 4);

	(void)state;
	assert_int_equal(smtpd__hash_text(7, text),
	    smtpd__hash_bytes(part, text + 4, strlen(text) - 4));
}

static void
case_is_folded_on_request(void **state)
{
	(void)state;
	assert_int_equal(smtpd__hash_text_lower(1, "A@B\xc4"),
	    smtpd__hash_text(1, "a@b\xc4"));
	assert_true(smtpd__hash_text(1, "A@B") != smtpd__hash_text(1, "a@b"));
}

static void
high_bits_reach_the_low_ones(void **state)
{
	(void)state;
	assert_int_equal(smtpd__hash_spread(0x12340000), 0x12341234);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(bytes_and_text_hash_alike),
		cmocka_unit_test(case_is_folded_on_request),
		cmocka_unit_test(high_bits_reach_the_low_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
