/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/id.h"

#include "test.h"

static void
ids_sort_as_numbers(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 9, 10, 31, 32, 33, 1023, 1024,
		UINT32_MAX, (uint64_t)UINT32_MAX + 1, 1136214245000000000,
		UINT64_MAX - 1, UINT64_MAX };
	char before[SMTPD_ID_SIZE] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char id[SMTPD_ID_SIZE];

		smtpd__id_write(numbers[i], id);
		assert_int_equal(strlen(id), 13);
		assert_int_equal(
		    strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 13);
		assert_true(strcmp(before, id) < 0);
		memcpy(before, id, sizeof(id));
	}
	smtpd__id_write(0, before);
	assert_string_equal(before, "0000000000000");
	smtpd__id_write(UINT64_MAX, before);
	assert_string_equal(before, "FZZZZZZZZZZZZ");
}

static void
ids_are_read_back(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 33, 1136214245000000000,
		UINT64_MAX };
	static const char *const wrong[] = { "", "0", "00000000000000",
		"G000000000000", "ZZZZZZZZZZZZZ", "000000000000U",
		"00000000000-0" };
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char id[SMTPD_ID_SIZE];

		smtpd__id_write(numbers[i], id);
		assert_int_equal(smtpd__id_parse(id, &n), 0);
		assert_true(n == numbers[i]);
	}
	assert_int_equal(smtpd__id_parse("000000000000a", &n), 0);
	assert_int_equal(n, 10);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(smtpd__id_parse(wrong[i], &n), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_sort_as_numbers),
		cmocka_unit_test(ids_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
