/* SPDX-License-Identifier: MIT */
#include "base/container.h"

#include "test.h"

struct node {
	struct node *next;
};

struct outer {
	int number;
	struct node node;
	struct node many[3];
};

static void
member_leads_to_its_struct(void **state)
{
	struct outer outer = { .number = 5 };
	struct node *node = &outer.node;

	(void)state;
	assert_ptr_equal(SMTPD_CONTAINER_OF(node, struct outer, node), &outer);
	node = &outer.many[2];
	assert_ptr_equal(
	    SMTPD_CONTAINER_OF(node - 2, struct outer, many), &outer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(member_leads_to_its_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
