/* SPDX-License-Identifier: MIT */
#include "queue/spool/message_table.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define MESSAGES 4000

struct model {
	struct smtpd_message_table table;
	struct smtpd_queued_message *entries; /* of ids 1 to MESSAGES */
	bool there[MESSAGES + 1];
};

static int
setup(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->entries = calloc(MESSAGES + 1, sizeof(*m->entries));
	assert_non_null(m->entries);
	for (size_t i = 0; i <= MESSAGES; i++)
		m->entries[i].id = i;
	*state = m;
	return 0;
}

static int
teardown(void **state)
{
	struct model *m = *state;

	while (smtpd__message_table_take(&m->table) != NULL)
		continue;
	free(m->entries);
	free(m);
	return 0;
}

static void
assert_same(struct model *m)
{
	struct smtpd_queued_message *next = NULL;

	for (uint64_t id = MESSAGES; id > 0; id--) {
		if (m->there[id])
			next = &m->entries[id];
		assert_ptr_equal(
		    smtpd__message_table_from(&m->table, id), next);
		assert_ptr_equal(smtpd__message_table_find(&m->table, id),
		    m->there[id] ? next : NULL);
	}
	assert_ptr_equal(smtpd__message_table_from(&m->table, 0), next);
	assert_null(smtpd__message_table_from(&m->table, UINT64_MAX));
}

static void
toggle(struct model *m, uint64_t id)
{
	if (m->there[id])
		smtpd__message_table_remove(&m->table, &m->entries[id]);
	else
		assert_true(
		    smtpd__message_table_insert(&m->table, &m->entries[id]));
	m->there[id] = !m->there[id];
}

static void
test_rising(void **state)
{
	struct model *m = *state;

	assert_same(m);
	for (uint64_t id = 1; id <= MESSAGES; id++)
		toggle(m, id);
	/* Leaves are full. */
	assert_true(m->table.count <= MESSAGES / 255 + 1);
	assert_same(m);
	for (uint64_t id = 1; id <= MESSAGES; id++)
		toggle(m, id);
	assert_same(m);
	assert_int_equal(m->table.count, 0);
}

static void
test_falling(void **state)
{
	struct model *m = *state;

	for (uint64_t id = MESSAGES; id > 0; id--)
		toggle(m, id);
	assert_same(m);
	for (uint64_t id = MESSAGES; id > 0; id--)
		toggle(m, id);
	assert_int_equal(m->table.count, 0);
}

static void
test_random(void **state)
{
	struct model *m = *state;

	srand(1);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 3000; i++)
			toggle(m, 1 + (uint64_t)rand() % MESSAGES);
		assert_same(m);
	}
	/* Nearly all of them leave. */
	for (uint64_t id = 1; id <= MESSAGES; id++)
		if (m->there[id] != (id % 100 == 0))
			toggle(m, id);
	assert_same(m);
	assert_true(m->table.count <= 4);
}

static void
test_take(void **state)
{
	struct model *m = *state;

	for (uint64_t id = 1; id <= MESSAGES; id++)
		toggle(m, id);
	for (uint64_t id = MESSAGES; id > 0; id--)
		assert_ptr_equal(
		    smtpd__message_table_take(&m->table), &m->entries[id]);
	assert_null(smtpd__message_table_take(&m->table));
	assert_null(m->table.leaves);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rising, setup, teardown),
		cmocka_unit_test_setup_teardown(test_falling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_take, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
