/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/tlsa.h"

#define MUCH (SMTPD_TLSA_DATA_MAX + 4)

/* Add a record of LEN octets of data, each BYTE. */
static void
add(struct smtpd_tlsa_set *set, const char *kind, size_t len, int byte)
{
	unsigned char record[MUCH + 3];

	for (int i = 0; i < 3; i++)
		record[i] = (unsigned char)(kind[i] - '0');
	memset(record + 3, byte, len);
	smtpd__tlsa_add(set, record, len + 3);
}

/* RFC 6698, 2.1: what SMTP can use. */
static void
only_some_records_are_usable(void **state)
{
	static const struct {
		const char *kind;
		size_t len;
		bool usable;
	} cases[] = {
		{ "311", 32, true },
		{ "301", 32, true },
		{ "211", 32, true },
		{ "201", 32, true },
		{ "312", 64, true },
		{ "302", 64, true },
		{ "310", 91, true },
		{ "200", 800, true },
		{ "300", SMTPD_TLSA_DATA_MAX, true },
		/* RFC 7672, 3.1.3 */
		{ "011", 32, false },
		{ "111", 32, false },
		{ "411", 32, false },
		{ "321", 32, false },
		{ "313", 32, false },
		/* Digests of another length. */
		{ "311", 31, false },
		{ "311", 33, false },
		{ "311", 64, false },
		{ "311", 1, false },
		{ "312", 32, false },
		{ "312", 63, false },
		{ "312", 65, false },
		/* Nothing, and too much. */
		{ "310", 0, false },
		{ "311", 0, false },
		{ "300", SMTPD_TLSA_DATA_MAX + 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_tlsa_set *set = smtpd__tlsa_create(2 * MUCH);

		assert_non_null(set);
		add(set, cases[i].kind, cases[i].len, 0x55);
		smtpd__tlsa_finish(set);
		assert_int_equal(set->count, cases[i].usable);
		assert_int_equal(set->unusable, !cases[i].usable);
		free(set);
	}
}

/* They occur, and were read past their end by others. */
static void
a_record_of_less_than_four_octets_is_unusable(void **state)
{
	static const unsigned char octets[] = { 3, 1, 1 };

	(void)state;
	for (size_t len = 0; len <= sizeof(octets); len++) {
		struct smtpd_tlsa_set *set = smtpd__tlsa_create(0);
		unsigned char *exact = malloc(len + (len == 0));

		assert_non_null(set);
		assert_non_null(exact);
		memcpy(exact, octets, len);
		smtpd__tlsa_add(set, exact, len);
		smtpd__tlsa_finish(set);
		assert_int_equal(set->count, 0);
		assert_int_equal(set->unusable, 1);
		free(exact);
		free(set);
	}
}

static void
a_set_has_bounds(void **state)
{
	struct smtpd_tlsa_set *set =
	    smtpd__tlsa_create(32 * (SMTPD_TLSA_MAX + 2));

	(void)state;
	assert_non_null(set);
	for (int i = 0; i < SMTPD_TLSA_MAX; i++)
		add(set, "311", 32, i);
	assert_int_equal(set->count, SMTPD_TLSA_MAX);
	assert_int_equal(set->unusable, 0);
	add(set, "311", 32, 0x77);
	assert_int_equal(set->count, SMTPD_TLSA_MAX);
	assert_int_equal(set->unusable, 1);
	free(set);
	set = smtpd__tlsa_create(32);
	assert_non_null(set);
	add(set, "311", 32, 1);
	add(set, "311", 32, 2);
	assert_int_equal(set->count, 1);
	assert_int_equal(set->unusable, 1);
	free(set);
}

/* Write the kinds of SET to OUT: "3 1 1, 3 1 2". */
static void
list_kinds(const struct smtpd_tlsa_set *set, char *out, size_t size)
{
	struct smtpd_text text;

	smtpd__text_init(&text, out, size);
	for (size_t i = 0; i < set->count; i++)
		smtpd__text_format(&text, "%s%u%u%u", i > 0 ? " " : "",
		    set->list[i].usage, set->list[i].selector,
		    set->list[i].matching);
}

/* RFC 7671, 9. */
static void
only_the_strongest_digest_counts(void **state)
{
	static const struct {
		const char *kinds, *kept;
	} cases[] = {
		{ "311 312", "312" },
		{ "312 311", "312" },
		{ "311 311", "311 311" },
		{ "311 302", "302 311" },
		{ "311 212", "212 311" },
		{ "310 311 312", "310 312" },
		{ "310 311", "310 311" },
		{ "201 202 211 301 311 312", "202 211 301 312" },
		{ "311 113 012 312", "312" },
	};
	char kinds[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtpd_tlsa_set *set = smtpd__tlsa_create(1024);

		assert_non_null(set);
		for (const char *k = cases[i].kinds; *k != '\0';
		    k += k[3] == ' ' ? 4 : 3)
			add(set, k, k[2] == '2' ? 64 : 32, 1);
		smtpd__tlsa_finish(set);
		list_kinds(set, kinds, sizeof(kinds));
		assert_string_equal(kinds, cases[i].kept);
		free(set);
	}
}

static void
the_order_of_records_does_not_matter(void **state)
{
	struct smtpd_tlsa_set *a = smtpd__tlsa_create(256);
	struct smtpd_tlsa_set *b = smtpd__tlsa_create(256);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	add(a, "311", 32, 1);
	add(a, "311", 32, 2);
	add(a, "211", 32, 3);
	add(b, "211", 32, 3);
	add(b, "311", 32, 2);
	add(b, "311", 32, 1);
	smtpd__tlsa_finish(a);
	smtpd__tlsa_finish(b);
	assert_int_equal(a->count, 3);
	assert_int_equal(b->count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(a->list[i].data, b->list[i].data, 32);
	free(a);
	free(b);
}

static void
the_log_has_the_beginning_of_a_record(void **state)
{
	struct smtpd_tlsa_set *set = smtpd__tlsa_create(256);
	char shown[64];
	struct smtpd_text text;

	(void)state;
	assert_non_null(set);
	add(set, "311", 32, 0xab);
	add(set, "310", 2, 1);
	smtpd__tlsa_finish(set);
	smtpd__text_init(&text, shown, sizeof(shown));
	smtpd__tlsa_write(&set->list[0], &text);
	smtpd__text_add(&text, " ");
	smtpd__tlsa_write(&set->list[1], &text);
	assert_string_equal(shown, "3 1 0 0101 3 1 1 abababababababab...");
	free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_some_records_are_usable),
		cmocka_unit_test(a_record_of_less_than_four_octets_is_unusable),
		cmocka_unit_test(a_set_has_bounds),
		cmocka_unit_test(only_the_strongest_digest_counts),
		cmocka_unit_test(the_order_of_records_does_not_matter),
		cmocka_unit_test(the_log_has_the_beginning_of_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
