/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/sized.h"

struct old {
	size_t size;
	long a;
};

struct known {
	size_t size;
	long a, b;
};

struct newer {
	size_t size;
	long a, b, c;
};

static const struct known dirty = { 1, 7, 7 };

static void
what_an_older_struct_lacks_is_zero(void **state)
{
	const struct old given = { sizeof(given), 5 };
	struct known k = dirty;

	(void)state;
	assert_int_equal(smtpd__sized_copy(&k, sizeof(k), &given), 0);
	assert_int_equal(k.size, sizeof(k));
	assert_int_equal(k.a, 5);
	assert_int_equal(k.b, 0);
}

static void
nothing_given_is_all_defaults(void **state)
{
	struct known k = dirty;

	(void)state;
	assert_int_equal(smtpd__sized_copy(&k, sizeof(k), NULL), 0);
	assert_int_equal(k.size, sizeof(k));
	assert_int_equal(k.a, 0);
	assert_int_equal(k.b, 0);
}

static void
a_newer_struct_is_good_while_it_asks_for_nothing_new(void **state)
{
	struct newer given = { sizeof(given), 5, 6, 0 };
	struct known k = dirty;

	(void)state;
	assert_int_equal(smtpd__sized_copy(&k, sizeof(k), &given), 0);
	assert_int_equal(k.size, sizeof(k));
	assert_int_equal(k.b, 6);
	given.c = 1;
	k = dirty;
	errno = 0;
	assert_int_equal(smtpd__sized_copy(&k, sizeof(k), &given), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(k.a, dirty.a);
}

static void
a_size_that_was_never_set_is_refused(void **state)
{
	static const size_t sizes[] = { 0, 1, sizeof(size_t) - 1,
		sizeof(size_t) + 2, sizeof(struct known) - 1, SIZE_MAX,
		1 << 20 };
	struct known k, given = { 0, 5, 6 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		given.size = sizes[i];
		errno = 0;
		assert_int_equal(smtpd__sized_copy(&k, sizeof(k), &given), -1);
		assert_int_equal(errno, EINVAL);
		errno = 0;
		assert_int_equal(smtpd__sized_fill(&given, &k, sizeof(k)), -1);
		assert_int_equal(errno, EINVAL);
	}
}

static void
elements_stand_as_far_apart_as_the_first_one_says(void **state)
{
	const struct old small[] = { { sizeof(small[0]), 1 }, { 0, 2 } };
	const struct newer large[] = { { sizeof(large[0]), 1, 2, 0 },
		{ 0, 3, 4, 0 }, { 0, 5, 6, 7 } };
	struct known k;

	(void)state;
	assert_int_equal(smtpd__sized_copy_nth(&k, sizeof(k), small, 1), 0);
	assert_int_equal(k.size, sizeof(k));
	assert_int_equal(k.a, 2);
	assert_int_equal(k.b, 0);
	assert_int_equal(smtpd__sized_copy_nth(&k, sizeof(k), large, 1), 0);
	assert_int_equal(k.a, 3);
	assert_int_equal(k.b, 4);
	assert_int_equal(smtpd__sized_copy_nth(&k, sizeof(k), large, 2), -1);
}

static void
no_more_is_filled_than_the_caller_has(void **state)
{
	const struct known k = { sizeof(k), 5, 6 };
	struct {
		struct old given;
		long behind;
	} old = { { sizeof(old.given), 1 }, 9 };
	struct newer newer = { sizeof(newer), 1, 2, 3 };

	(void)state;
	assert_int_equal(smtpd__sized_fill(&old.given, &k, sizeof(k)), 0);
	assert_int_equal(old.given.size, sizeof(old.given));
	assert_int_equal(old.given.a, 5);
	assert_int_equal(old.behind, 9);
	assert_int_equal(smtpd__sized_fill(&newer, &k, sizeof(k)), 0);
	assert_int_equal(newer.size, sizeof(newer));
	assert_int_equal(newer.b, 6);
	assert_int_equal(newer.c, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_older_struct_lacks_is_zero),
		cmocka_unit_test(nothing_given_is_all_defaults),
		cmocka_unit_test(
		    a_newer_struct_is_good_while_it_asks_for_nothing_new),
		cmocka_unit_test(a_size_that_was_never_set_is_refused),
		cmocka_unit_test(
		    elements_stand_as_far_apart_as_the_first_one_says),
		cmocka_unit_test(no_more_is_filled_than_the_caller_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
