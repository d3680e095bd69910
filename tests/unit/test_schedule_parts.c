/* SPDX-License-Identifier: MIT */

#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/name_table.h"
#include "queue/model/queued_message.h"

#include "test.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
a_heap_sorts_and_gives_up_any(void **state)
{
	struct smtpd_heap h = { 0 };
	struct smtpd_heap_node nodes[1000], *top;
	uint32_t last = 0;

	(void)state;
	srand(1);
	assert_null(smtpd__heap_top(&h));
	assert_int_equal(smtpd__heap_fit(&h, LENGTH(nodes)), 0);
	for (size_t i = 0; i < LENGTH(nodes); i++)
		smtpd__heap_push(&h, &nodes[i], (uint32_t)rand() % 500);
	for (size_t i = 0; i < LENGTH(nodes); i += 3)
		smtpd__heap_remove(&h, &nodes[i]);
	assert_int_equal(h.count, 666);
	for (int i = 0; i < 666; i++) {
		top = smtpd__heap_top(&h);
		assert_true((top - nodes) % 3 != 0);
		assert_true(top->when >= last);
		last = top->when;
		smtpd__heap_remove(&h, top);
	}
	assert_null(smtpd__heap_top(&h));
	smtpd__heap_finish(&h);
}

static void
a_heap_returns_what_it_no_longer_needs(void **state)
{
	struct smtpd_heap h = { 0 };

	(void)state;
	assert_int_equal(smtpd__heap_fit(&h, 100000), 0);
	assert_in_range(h.room, 100000, 200000);
	for (int i = 0; i < 20; i++)
		assert_int_equal(smtpd__heap_fit(&h, 10), 0);
	assert_in_range(h.room, 10, 1100);
	smtpd__heap_finish(&h);
}

static void
a_table_finds_what_is_in_it(void **state)
{
	enum {
		COUNT = 5000
	};
	static struct smtpd_named nodes[COUNT];
	static char names[COUNT][16];
	struct smtpd_name_table t;

	(void)state;
	assert_int_equal(smtpd__name_table_init(&t, 99), 0);
	for (int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d.example", i);
		nodes[i].name = names[i];
		assert_null(smtpd__name_table_find(&t, names[i]));
		smtpd__name_table_add(&t, &nodes[i]);
	}
	assert_int_equal(t.count, COUNT);
	assert_in_range(t.size, COUNT, 4 * COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_ptr_equal(
		    smtpd__name_table_find(&t, names[i]), &nodes[i]);
		if (i % 50 != 0)
			smtpd__name_table_remove(&t, &nodes[i]);
	}
	assert_in_range(t.size, COUNT / 50, COUNT / 4);
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(smtpd__name_table_find(&t, names[i]),
		    i % 50 == 0 ? &nodes[i] : NULL);
	smtpd__name_table_finish(&t);
}

static void
finished_recipients_are_known_by_bit_or_job(void **state)
{
	_Atomic unsigned char bits[] = { 0x01, 0x82 };
	struct smtpd_queued_message e = { .finished = NULL };
	struct smtpd_delivery_job job = { .finished = false };
	uint32_t set = 0;

	(void)state;
	assert_false(smtpd__queued_message_is_finished(&e, &job, 0));
	e.finished = bits;
	for (uint32_t i = 0; i < 16; i++)
		if (smtpd__queued_message_is_finished(&e, &job, i))
			set |= 1u << i;
	assert_int_equal(set, 0x8201);
	job.finished = true;
	assert_true(smtpd__queued_message_is_finished(&e, &job, 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heap_sorts_and_gives_up_any),
		cmocka_unit_test(a_heap_returns_what_it_no_longer_needs),
		cmocka_unit_test(a_table_finds_what_is_in_it),
		cmocka_unit_test(finished_recipients_are_known_by_bit_or_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
