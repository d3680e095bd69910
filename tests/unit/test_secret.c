/* SPDX-License-Identifier: MIT */
#include "crypto/secret.h"

#include <string.h>

#include "test.h"

static void
what_is_wiped_is_gone(void **state)
{
	char text[] = "-pencil-";

	(void)state;
	smtpd__secret_wipe(text + 1, 6);
	assert_memory_equal(text, "-\0\0\0\0\0\0-", 8);
	smtpd__secret_wipe(text, 0);
	assert_int_equal(text[0], '-');
}

static void
each_byte_counts(void **state)
{
	char a[] = "0123456789", b[] = "0123456789";

	(void)state;
	assert_true(smtpd__secret_same(a, b, 10));
	assert_true(smtpd__secret_same(a, "", 0));
	for (size_t i = 0; i < 10; i++) {
		b[i] ^= (char)0x80;
		assert_false(smtpd__secret_same(a, b, 10));
		assert_true(smtpd__secret_same(a, b, i));
		b[i] ^= (char)0x80;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wiped_is_gone),
		cmocka_unit_test(each_byte_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
