/* SPDX-License-Identifier: MIT */
/* What one local user may queue. */
#include "user_shares.h"

#include <unistd.h>

#include "test.h"

#define SHARE INT64_C(86400000)
#define ANN   1000001
#define BOB   1000002

static void
a_share_is_used_up_and_comes_back(void **state)
{
	struct log *log = log_create(0);
	struct user_shares *u = user_shares_create(SHARE, "/", log);

	(void)state;
	assert_non_null(u);
	assert_true(user_shares_has_room(u, ANN, 0, 100));
	assert_false(user_shares_has_room(u, ANN, SHARE, 100));
	user_shares_add(u, ANN, SHARE - 4096, 100);
	assert_false(user_shares_has_room(u, ANN, 0, 100));
	/* That of others is their own. */
	assert_true(user_shares_has_room(u, BOB, SHARE - 1, 100));
	/* 1000 octets are forgotten in a second. */
	assert_true(user_shares_has_room(u, ANN, 9999, 110));
	assert_false(user_shares_has_room(u, ANN, 10000, 110));
	assert_true(user_shares_has_room(u, ANN, SHARE - 1, 100 + 86400));
	user_shares_destroy(u);
	log_destroy(log);
}

static void
small_messages_count_too(void **state)
{
	struct log *log = log_create(0);
	struct user_shares *u = user_shares_create(SHARE, "/", log);

	(void)state;
	for (int i = 0; i < SHARE / 4096; i++)
		user_shares_add(u, ANN, 0, 0);
	assert_false(user_shares_has_room(u, ANN, 4096, 0));
	user_shares_destroy(u);
	log_destroy(log);
}

static void
root_and_the_own_user_have_no_limit(void **state)
{
	struct log *log = log_create(0);
	struct user_shares *u = user_shares_create(SHARE, "/", log);

	(void)state;
	user_shares_add(u, 0, 2 * SHARE, 0);
	user_shares_add(u, geteuid(), 2 * SHARE, 0);
	assert_true(user_shares_has_room(u, 0, SHARE, 0));
	assert_true(user_shares_has_room(u, geteuid(), SHARE, 0));
	user_shares_destroy(u);
	log_destroy(log);
}

/* Those who have nothing left make room in the table. */
static void
many_users_have_shares(void **state)
{
	struct log *log = log_create(0);
	struct user_shares *u = user_shares_create(0, "/", log);

	(void)state;
	assert_non_null(u);
	for (unsigned i = 0; i < 1000; i++)
		user_shares_add(u, ANN + i, 1, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(user_shares_has_room(u, ANN + i, 1, 86400));
	user_shares_destroy(u);
	assert_null(user_shares_create(0, "/nonexistent", log));
	user_shares_destroy(NULL);
	log_destroy(log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_used_up_and_comes_back),
		cmocka_unit_test(small_messages_count_too),
		cmocka_unit_test(root_and_the_own_user_have_no_limit),
		cmocka_unit_test(many_users_have_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
