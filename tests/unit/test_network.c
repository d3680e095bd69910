/* SPDX-License-Identifier: MIT */
#include "net/network.h"

#include <stdio.h>

#include "test.h"

static bool
has(const char *network, const char *address)
{
	struct smtpd_networks list = { 0 };
	struct smtpd_network n;
	struct smtpd_sockaddr a;
	bool result;

	assert_int_equal(smtpd__network_parse(network, &n), 0);
	assert_int_equal(smtpd__network_list_add(&list, &n), 0);
	assert_int_equal(smtpd__socket_parse(address, &a), 0);
	result = smtpd__network_list_has(&list, &a);
	smtpd__network_list_finish(&list);
	return result;
}

static void
networks_have_addresses(void **state)
{
	static const struct {
		const char *network, *in, *out;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.255:1", "192.0.3.0:1" },
		{ "192.0.2.128/25", "192.0.2.128:1", "192.0.2.127:1" },
		{ "192.0.2.1", "192.0.2.1:1", "192.0.2.2:1" },
		{ "192.0.2.2/31", "192.0.2.3:1", "192.0.2.4:1" },
		{ "0.0.0.0/0", "203.0.113.9:1", "[::]:1" },
		{ "::/0", "[2001:db8::1]:1", "192.0.2.1:1" },
		{ "2001:db8::/32", "[2001:db8:ffff::]:1", "[2001:db9::]:1" },
		{ "2001:db8::8/125", "[2001:db8::f]:1", "[2001:db8::10]:1" },
		{ "::1", "[::1]:1", "/run/x" },
		{ "local", "/run/x", "127.0.0.1:1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(has(cases[i].network, cases[i].in));
		assert_false(has(cases[i].network, cases[i].out));
	}
}

static void
others_are_no_networks(void **state)
{
	static const char too_long[] =
	    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:"
	    "1111:1111:1111:1111:1111:1111";
	const char *const cases[] = { "", "/", "x", "192.0.2.0/",
		"192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/4294967320",
		"192.0.2.0/24 ", "192.0.2.0/24/24", "192.0.2.1/24",
		"192.0.2/24", "0300.0.2.1", "2001:db8::/129", "2001:db8::1/64",
		"[::1]", "::ffff:192.0.2.0/120", "::ffff:192.0.2.1", "local/0",
		"LOCAL", "192.0.2.1:25", "fe80::1%lo", too_long };
	struct smtpd_network n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (smtpd__network_parse(cases[i], &n) != -1)
			fail_msg("\"%s\" is taken", cases[i]);
	}
}

static void
a_list_has_what_one_has(void **state)
{
	static const char *const cases[] = { "192.0.2.0/24", "local",
		"2001:db8::1" };
	struct smtpd_networks list = { 0 };
	struct smtpd_sockaddr a;
	struct smtpd_network n;

	(void)state;
	assert_int_equal(smtpd__socket_parse("[2001:db8::1]:1", &a), 0);
	assert_false(smtpd__network_list_has(&list, &a));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(smtpd__network_parse(cases[i], &n), 0);
		assert_int_equal(smtpd__network_list_add(&list, &n), 0);
	}
	assert_true(smtpd__network_list_has(&list, &a));
	assert_int_equal(smtpd__socket_parse("[2001:db8::2]:1", &a), 0);
	assert_false(smtpd__network_list_has(&list, &a));
	smtpd__network_list_finish(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_have_addresses),
		cmocka_unit_test(others_are_no_networks),
		cmocka_unit_test(a_list_has_what_one_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
