/* SPDX-License-Identifier: MIT */
#ifndef CMOCKA_H
#define CMOCKA_H

/*
 * The part of cmocka that the unit tests use, for machines for which there is
 * no package of it.  The first failure ends the program.
 */

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char *name;
	void (*test)(void **state);
	CMFixtureFunction setup, teardown;
	void *initial_state;
};

/* Where skip() goes on; the same for all files of a program. */
__attribute__((weak)) jmp_buf cmocka_end_of_test;

#define cmocka_unit_test(test) cmocka_unit_test_setup(test, NULL)
#define cmocka_unit_test_setup(test, setup) \
	cmocka_unit_test_setup_teardown(test, setup, NULL)
#define cmocka_unit_test_setup_teardown(test, setup, teardown) \
	{ #test, test, setup, teardown, NULL }

#define cmocka_run_group_tests(tests, setup, teardown) \
	cmocka_run_group_tests_name(#tests, tests, setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	cmocka_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#define test_malloc(size)  malloc(size)
#define test_free(pointer) free(pointer)
#define print_message(...) printf(__VA_ARGS__)
#define print_error(...)   fprintf(stderr, __VA_ARGS__)
#define skip()             longjmp(cmocka_end_of_test, 1)
#define fail()             fail_msg("failed")
#define fail_msg(...)                                           \
	do {                                                    \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
		fprintf(stderr, __VA_ARGS__);                   \
		fprintf(stderr, "\n");                          \
		exit(1);                                        \
	} while (0)

#define assert_true(value)         cmocka_assert(value)
#define assert_false(value)        cmocka_assert(!(value))
#define assert_null(value)         cmocka_assert((value) == NULL)
#define assert_non_null(value)     cmocka_assert((value) != NULL)
#define assert_ptr_equal(a, b)     cmocka_assert((const void *)(a) == (b))
#define assert_ptr_not_equal(a, b) cmocka_assert((const void *)(a) != (b))
#define assert_int_equal(a, b)     cmocka_compare(a, ==, b)
#define assert_int_not_equal(a, b) cmocka_compare(a, !=, b)
#define assert_in_range(value, low, high)        \
	do {                                     \
		cmocka_compare(value, >=, low);  \
		cmocka_compare(value, <=, high); \
	} while (0)
#define assert_string_equal(a, b)       cmocka_compare_strings(a, ==, b)
#define assert_string_not_equal(a, b)   cmocka_compare_strings(a, !=, b)
#define assert_memory_equal(a, b, size) cmocka_assert(memcmp(a, b, size) == 0)

#define cmocka_assert(condition)                    \
	do {                                        \
		if (!(condition))                   \
			fail_msg("%s", #condition); \
	} while (0)
#define cmocka_compare(a, is, b)                                    \
	do {                                                        \
		uintmax_t a_ = (uintmax_t)(a), b_ = (uintmax_t)(b); \
                                                                    \
		if (!(a_ is b_))                                    \
			fail_msg("%s " #is " %s: %jd, %jd", #a, #b, \
			    (intmax_t)a_, (intmax_t)b_);            \
	} while (0)
#define cmocka_compare_strings(a, is, b)                                    \
	do {                                                                \
		const char *a_ = (a), *b_ = (b);                            \
                                                                            \
		if (!(strcmp(a_, b_) is 0))                                 \
			fail_msg("%s " #is " %s:\n%s\n%s", #a, #b, a_, b_); \
	} while (0)

static inline int
cmocka_run(const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
    CMFixtureFunction teardown)
{
	void *group = NULL;

	if (setup != NULL && setup(&group) != 0)
		return 1;
	for (size_t i = 0; i < n; i++) {
		void *state = tests[i].initial_state != NULL
		    ? tests[i].initial_state
		    : group;

		printf("%s\n", tests[i].name);
		fflush(stdout);
		if (tests[i].setup != NULL && tests[i].setup(&state) != 0)
			return 1;
		if (setjmp(cmocka_end_of_test) == 0)
			tests[i].test(&state);
		if (tests[i].teardown != NULL && tests[i].teardown(&state) != 0)
			return 1;
	}
	return teardown != NULL && teardown(&group) != 0;
}

#endif
