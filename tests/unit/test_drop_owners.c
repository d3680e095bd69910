/* SPDX-License-Identifier: MIT */
#include "drop_owners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void
add_many(struct drop_owners *o, uid_t uid, int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%lu-%d", (unsigned long)uid, i);
		assert_int_equal(drop_owners_add(o, uid, name), 0);
	}
}

static void
expect(struct drop_owners *o, const char *wanted)
{
	char *name = drop_owners_next(o);

	assert_non_null(name);
	assert_string_equal(name, wanted);
	free(name);
}

static void
owners_take_turns(void **state)
{
	struct drop_owners o = { .list = NULL };

	(void)state;
	add_many(&o, 7, 3);
	add_many(&o, 3, 1);
	expect(&o, "3-0");
	expect(&o, "7-0");
	/* One that comes meanwhile waits for no more than one of each. */
	add_many(&o, 5, 2);
	expect(&o, "5-0");
	expect(&o, "7-1");
	expect(&o, "5-1");
	expect(&o, "7-2");
	assert_null(drop_owners_next(&o));
	assert_int_equal(o.count, 0);
	add_many(&o, 9, 1);
	expect(&o, "9-0");
	assert_null(drop_owners_next(&o));
	drop_owners_clear(&o);
}

/* One has a share of the memory; others still have theirs. */
static void
owners_are_cut_off(void **state)
{
	struct drop_owners o = { .list = NULL };

	(void)state;
	add_many(&o, 1, 4999);
	assert_false(o.cut);
	add_many(&o, 1, 10);
	assert_true(o.cut);
	assert_int_equal(o.names, 5000);
	for (uid_t uid = 2; uid <= 60; uid++)
		add_many(&o, uid, 5000);
	assert_true(o.names < 202000);
	add_many(&o, 1000, 5);
	for (int i = 0; i < 60; i++)
		free(drop_owners_next(&o));
	expect(&o, "1000-0");
	drop_owners_clear(&o);
	assert_false(o.cut);
}

/* What was taken is forgotten while more comes. */
static void
room_is_used_again(void **state)
{
	struct drop_owners o = { .list = NULL };
	char *name;

	(void)state;
	add_many(&o, 1, 10);
	for (int i = 0; i < 20000; i++) {
		add_many(&o, 1, 1);
		name = drop_owners_next(&o);
		assert_non_null(name);
		free(name);
	}
	assert_int_equal(o.names, 10);
	drop_owners_clear(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_take_turns),
		cmocka_unit_test(owners_are_cut_off),
		cmocka_unit_test(room_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
