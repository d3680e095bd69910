/* SPDX-License-Identifier: MIT */
#include <stdalign.h>
#include <string.h>

#include "base/arena.h"
#include "base/budget.h"

#include "test.h"

static void
pieces_are_aligned_in_any_block(void **state)
{
	alignas(max_align_t) char block[256];

	(void)state;
	for (size_t shift = 0; shift < 17; shift++) {
		struct smtpd_arena a;

		smtpd__arena_init(&a, block + shift, 200, 0);
		for (size_t size = 0; size < 20; size += 3) {
			void *p = smtpd__arena_alloc(&a, size);

			assert_non_null(p);
			assert_int_equal(
			    (uintptr_t)p % alignof(max_align_t), 0);
			memset(p, 'x', size);
		}
	}
}

static void
pieces_do_not_overlap(void **state)
{
	char *pieces[300];
	char block[128];
	struct smtpd_arena a;

	(void)state;
	smtpd__arena_init(&a, block, sizeof(block), 1 << 20);
	for (size_t i = 0; i < 300; i++) {
		pieces[i] = smtpd__arena_alloc(&a, i);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < 300; i++) {
		for (size_t k = 0; k < i; k++)
			assert_int_equal((unsigned char)pieces[i][k], i % 251);
	}
	smtpd__arena_reset(&a);
}

static void
empty_pieces_differ(void **state)
{
	char block[64];
	struct smtpd_arena a;
	void *p;

	(void)state;
	smtpd__arena_init(&a, block, sizeof(block), 0);
	p = smtpd__arena_alloc(&a, 0);
	assert_non_null(p);
	assert_ptr_not_equal(p, smtpd__arena_alloc(&a, 0));
}

static void
a_gap_as_large_as_the_rest_is_no_room(void **state)
{
	alignas(max_align_t) char block[32];
	struct smtpd_arena a;

	(void)state;
	for (size_t size = 18; size <= 16 + alignof(max_align_t); size++) {
		smtpd__arena_init(&a, block, size, 0);
		assert_non_null(smtpd__arena_text(&a, "0123456789abcdef", 16));
		assert_null(smtpd__arena_alloc(&a, 1));
	}
}

static void
text_takes_its_length_and_one(void **state)
{
	char block[12];
	struct smtpd_arena a;
	char *s;

	(void)state;
	smtpd__arena_init(&a, block + 1, 11, 0);
	s = smtpd__arena_text(&a, "abc", 3);
	assert_string_equal(s, "abc");
	assert_string_equal(smtpd__arena_text(&a, "defghi", 6), "defghi");
	assert_null(smtpd__arena_text(&a, "", 0));
	assert_string_equal(s, "abc");
}

static void
text_may_be_empty_without_address(void **state)
{
	struct smtpd_arena a;

	(void)state;
	smtpd__arena_init(&a, NULL, 0, 4096);
	assert_string_equal(smtpd__arena_text(&a, NULL, 0), "");
	smtpd__arena_reset(&a);
}

static void
without_a_cap_nothing_comes_from_the_heap(void **state)
{
	char block[32];
	struct smtpd_arena a;

	(void)state;
	smtpd__arena_init(&a, block, sizeof(block), 0);
	assert_null(smtpd__arena_alloc(&a, 33));
	assert_non_null(smtpd__arena_text(&a, "0123456789", 10));
	smtpd__arena_init(&a, NULL, 0, 0);
	assert_null(smtpd__arena_alloc(&a, 1));
}

static void
the_cap_holds(void **state)
{
	static const size_t sizes[] = { 1, 100, 2000, 3000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct smtpd_arena a;
		size_t given = 0;

		smtpd__arena_init(&a, NULL, 0, 10000);
		while (smtpd__arena_alloc(&a, sizes[i]) != NULL)
			given += sizes[i];
		assert_true(given > 0 && given <= 10000);
		assert_true(a.grown <= 10000);
		smtpd__arena_reset(&a);
	}
}

/* What one has taken another cannot have, until it is given back. */
static void
a_budget_is_shared(void **state)
{
	struct smtpd_budget budget = { .max = 10000 };
	struct smtpd_arena a, b;
	struct smtpd_arena_mark mark;

	(void)state;
	smtpd__arena_init(&a, NULL, 0, SIZE_MAX);
	smtpd__arena_init(&b, NULL, 0, SIZE_MAX);
	a.budget = b.budget = &budget;
	assert_non_null(smtpd__arena_alloc(&a, 3000));
	mark = smtpd__arena_mark(&a);
	assert_non_null(smtpd__arena_alloc(&a, 5000));
	assert_null(smtpd__arena_alloc(&b, 3000));
	assert_int_equal(b.grown, 0);
	assert_null(smtpd__arena_alloc(&b, 10001));
	smtpd__arena_rewind(&a, &mark);
	assert_non_null(smtpd__arena_alloc(&b, 3000));
	assert_int_equal(budget.taken, a.grown + b.grown);
	smtpd__arena_reset(&a);
	smtpd__arena_reset(&b);
	assert_int_equal(budget.taken, 0);
}

static void
the_cap_counts_what_each_block_costs(void **state)
{
	size_t cap = 200 * (2048 + sizeof(max_align_t) / 2);
	struct smtpd_arena a;
	size_t n = 0;

	(void)state;
	smtpd__arena_init(&a, NULL, 0, cap);
	while (smtpd__arena_alloc(&a, 2048) != NULL)
		n++;
	assert_true(n > 100 && n * (2048 + sizeof(void *)) <= cap);
	smtpd__arena_reset(&a);
}

static void
sizes_that_wrap_are_refused(void **state)
{
	char block[64];
	struct smtpd_arena a;

	(void)state;
	smtpd__arena_init(&a, block, sizeof(block), SIZE_MAX);
	for (size_t n = 0; n < sizeof(max_align_t) / 2; n++) {
		assert_null(smtpd__arena_alloc(&a, SIZE_MAX - n));
		assert_null(smtpd__arena_text(&a, block, SIZE_MAX - n));
	}
}

static void
reset_gives_the_block_back(void **state)
{
	char block[64];
	struct smtpd_arena a;
	void *first;

	(void)state;
	smtpd__arena_init(&a, block, sizeof(block), 100000);
	first = smtpd__arena_alloc(&a, 16);
	assert_non_null(smtpd__arena_alloc(&a, 50000));
	smtpd__arena_reset(&a);
	assert_int_equal(a.grown, 0);
	assert_ptr_equal(smtpd__arena_alloc(&a, 16), first);
	assert_non_null(smtpd__arena_alloc(&a, 50000));
	smtpd__arena_reset(&a);
	smtpd__arena_reset(&a);
}

/* R5: What was allocated since a mark can be given back alone. */
static void
rewinding_frees_what_came_after_the_mark(void **state)
{
	char block[64];
	struct smtpd_arena a;
	struct smtpd_arena_mark mark;
	void *first;

	(void)state;
	smtpd__arena_init(&a, block, sizeof(block), 10000);
	assert_non_null(smtpd__arena_text(&a, "KEPT", 4));
	mark = smtpd__arena_mark(&a);
	first = smtpd__arena_text(&a, "gone", 4);
	for (int i = 0; i < 100; i++) {
		assert_non_null(smtpd__arena_alloc(&a, 5000));
		smtpd__arena_rewind(&a, &mark);
	}
	assert_memory_equal(block, "KEPT", 5);
	assert_ptr_equal(smtpd__arena_text(&a, "new", 3), first);
	assert_non_null(smtpd__arena_alloc(&a, 5000));
	mark = smtpd__arena_mark(&a);
	assert_non_null(smtpd__arena_alloc(&a, 2000));
	smtpd__arena_rewind(&a, &mark);
	assert_non_null(smtpd__arena_alloc(&a, 2000));
	smtpd__arena_reset(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_in_any_block),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(empty_pieces_differ),
		cmocka_unit_test(a_gap_as_large_as_the_rest_is_no_room),
		cmocka_unit_test(text_takes_its_length_and_one),
		cmocka_unit_test(text_may_be_empty_without_address),
		cmocka_unit_test(without_a_cap_nothing_comes_from_the_heap),
		cmocka_unit_test(the_cap_holds),
		cmocka_unit_test(a_budget_is_shared),
		cmocka_unit_test(the_cap_counts_what_each_block_costs),
		cmocka_unit_test(sizes_that_wrap_are_refused),
		cmocka_unit_test(reset_gives_the_block_back),
		cmocka_unit_test(rewinding_frees_what_came_after_the_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
