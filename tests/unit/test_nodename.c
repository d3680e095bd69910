/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "os/nodename.h"

#include "test.h"

static void
name_is_that_of_the_system(void **state)
{
	char want[256] = "", got[256];

	(void)state;
	gethostname(want, sizeof(want) - 1);
	assert_int_equal(
	    smtpd__nodename_get(got, sizeof(got)), want[0] != '\0' ? 0 : -1);
	assert_string_equal(got, want);
}

static void
name_always_ends(void **state)
{
	char got[2] = { 'x', 'x' };

	(void)state;
	smtpd__nodename_get(got, sizeof(got));
	assert_int_equal(got[1], '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_is_that_of_the_system),
		cmocka_unit_test(name_always_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
