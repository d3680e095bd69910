/* SPDX-License-Identifier: MIT */
#include "transport/tls_names.h"

#include <string.h>

#include "test.h"

/* T4: A name is an address as a whole or not at all: nothing behind its end is
 * looked at. */
static void
addresses_are_told_from_names(void **state)
{
	static const struct {
		char name[32]; /* with more behind it, for some */
		size_t len;
	} cases[] = {
		{ "127.0.0.1", 4 },
		{ "[127.0.0.1]", 4 },
		{ "::1", 16 },
		{ "[::1]", 16 },
		{ "[IPv6:::1]", 16 },
		{ "[ipv6:2001:db8::1]", 16 },
		{ "", 0 },
		{ "\0xxxxx127.0.0.1", 0 },
		{ "[\0xxxx127.0.0.1", 0 },
		{ "[IPv6\0[127.0.0.1]", 0 },
		{ "[IPv6:]", 0 },
		{ "mx.example", 0 },
		{ "127.0.0.1.example", 0 },
	};
	unsigned char out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (smtpd__tls_names_address(cases[i].name, out) !=
		    cases[i].len)
			fail_msg("%zu: %s", i, cases[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_told_from_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
