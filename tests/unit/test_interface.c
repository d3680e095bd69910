/* SPDX-License-Identifier: MIT */
#include "interface.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define HEAD                                                                 \
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\t" \
	"MTU\tWindow\tIRTT\n"
#define ZEROS "00000000000000000000000000000000"
#define GATE  "fe800000000000000000000000000001"

static FILE *
open_text(const char *text)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	fputs(text, file);
	rewind(file);
	return file;
}

static void
test_routes(void **state)
{
	static const struct {
		const char *route;
		const char *route6;
		const char *names; /* "one two" */
	} cases[] = {
		{ HEAD, "", "" },
		{ HEAD
		    "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t"
		    "0\t0\n"
		    "eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0"
		    "\t0\t0\n",
		    "", "eth0" },
		/* the lower metric, a route by no gateway */
		{ HEAD "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0"
		       "\t0\t0\n"
		       "ppp0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0"
		       "\t0\t0\n",
		    "", "ppp0" },
		/* one that is down, one that only half of the net is behind */
		{ HEAD "eth1\t00000000\t0102A8C0\t0002\t0\t0\t0\t00000000\t0\t"
		       "0\t0\n"
		       "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t"
		       "0\t0\n",
		    "", "" },
		/* unreachable by lo, as where there is no IPv6 */
		{ HEAD,
		    ZEROS " 00 " ZEROS " 00 " ZEROS
			  " ffffffff 00000001 00000000 00200200       lo\n",
		    "" },
		{ HEAD,
		    ZEROS " 00 " ZEROS " 00 " GATE
			  " 00000400 00000001 00000000 00000003     eth0\n"
			  "fe80"
			  "0000000000000000000000000000 40 " ZEROS " 00 " ZEROS
			  " 00000100 00000001 00000000 00000001     eth9\n",
		    "eth0" },
		/* both families, by one interface and by two */
		{ HEAD "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t"
		       "0\t0\n",
		    ZEROS " 00 " ZEROS " 00 " GATE
			  " 00000400 00000001 00000000 00000003     eth0\n",
		    "eth0" },
		{ HEAD "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t"
		       "0\t0\n",
		    ZEROS " 00 " ZEROS " 00 " GATE
			  " 00000400 00000001 00000000 00000003     he-ipv6\n",
		    "eth0 he-ipv6" },
		{ "nonsense\n\n", "more nonsense\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *route = open_text(cases[i].route);
		FILE *route6 = open_text(cases[i].route6);
		struct text_list list = { 0 };
		char names[64] = "";

		assert_int_equal(
		    interface_parse_routes(route, route6, &list), 0);
		for (size_t k = 0; k < list.count; k++)
			snprintf(names + strlen(names),
			    sizeof(names) - strlen(names), "%s%s",
			    k > 0 ? " " : "", list.items[k]);
		assert_string_equal(names, cases[i].names);
		text_list_finish(&list);
		fclose(route);
		fclose(route6);
	}
}

static void
test_no_files(void **state)
{
	struct text_list list = { 0 };

	(void)state;
	assert_int_equal(interface_parse_routes(NULL, NULL, &list), 0);
	assert_int_equal(list.count, 0);
}

static void
test_loopback_addresses(void **state)
{
	struct text_list list = { 0 };

	(void)state;
	assert_int_equal(interface_addresses("lo", &list), 0);
	assert_true(list.count >= 1);
	assert_string_equal(list.items[0], "127.0.0.1");
	text_list_finish(&list);
}

static void
test_no_interface(void **state)
{
	struct text_list list = { 0 };

	(void)state;
	assert_int_equal(interface_addresses("none0", &list), -1);
	assert_int_equal(errno, ENXIO);
	assert_int_equal(list.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_loopback_addresses),
		cmocka_unit_test(test_no_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
