/* SPDX-License-Identifier: MIT */
#include "interface.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "routes.h"

#include "test.h"

/* An answer of the kernel under construction. */
struct answer {
	_Alignas(struct nlmsghdr) char data[1024];
	size_t len;
};

static void
add_bytes(struct answer *a, const void *data, size_t len)
{
	memcpy(a->data + a->len, data, len);
	a->len += NLMSG_ALIGN(len);
}

static void
add_number(struct answer *a, unsigned short type, uint32_t n)
{
	struct rtattr attr = { RTA_LENGTH(sizeof(n)), type };

	add_bytes(a, &attr, sizeof(attr));
	add_bytes(a, &n, sizeof(n));
}

struct route {
	unsigned char family, bits, type;
	uint32_t table, index, metric;
	bool several; /* ways */
};

static void
add_route(struct answer *a, const struct route *r)
{
	struct rtmsg route = { .rtm_family = r->family,
		.rtm_dst_len = r->bits,
		.rtm_type = r->type };
	struct rtnexthop hop = { .rtnh_len = sizeof(hop),
		.rtnh_ifindex = (int)r->index };
	struct rtattr attr = { RTA_LENGTH(sizeof(hop)), RTA_MULTIPATH };
	struct nlmsghdr head = { .nlmsg_type = RTM_NEWROUTE };
	size_t begin = a->len;

	add_bytes(a, &head, sizeof(head));
	add_bytes(a, &route, sizeof(route));
	add_number(a, RTA_TABLE, r->table);
	if (r->metric > 0)
		add_number(a, RTA_PRIORITY, r->metric);
	if (r->several) {
		add_bytes(a, &attr, sizeof(attr));
		add_bytes(a, &hop, sizeof(hop));
	} else if (r->index > 0) {
		add_number(a, RTA_OIF, r->index);
	}
	head.nlmsg_len = (uint32_t)(a->len - begin);
	memcpy(a->data + begin, &head, sizeof(head));
}

#define MAIN RT_TABLE_MAIN

/* O14: without /proc. */
static void
test_routes(void **state)
{
	static const struct {
		struct route routes[3];
		unsigned v4, v6;
	} cases[] = {
		{ { { 0 } }, 0, 0 },
		{ { { AF_INET, 0, RTN_UNICAST, MAIN, 2, 100, false },
		      { AF_INET, 24, RTN_UNICAST, MAIN, 3, 0, false } },
		    2, 0 },
		/* the lower metric */
		{ { { AF_INET, 0, RTN_UNICAST, MAIN, 2, 600, false },
		      { AF_INET, 0, RTN_UNICAST, MAIN, 3, 50, false } },
		    3, 0 },
		/* half of the net, another table, unreachable, no interface */
		{ { { AF_INET, 1, RTN_UNICAST, MAIN, 2, 0, false },
		      { AF_INET, 0, RTN_UNICAST, 1000, 2, 0, false },
		      { AF_INET6, 0, RTN_UNREACHABLE, MAIN, 1, 0, false } },
		    0, 0 },
		{ { { AF_INET, 0, RTN_UNICAST, MAIN, 0, 0, false } }, 0, 0 },
		/* both families; the first of several ways */
		{ { { AF_INET, 0, RTN_UNICAST, MAIN, 2, 0, true },
		      { AF_INET6, 0, RTN_UNICAST, MAIN, 3, 1024, false } },
		    2, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nlmsghdr done = { sizeof(done), NLMSG_DONE, 0, 0, 0 };
		struct routes found = { .v4 = { 0, 0 } };
		struct answer a = { .len = 0 };

		for (size_t k = 0; k < 3; k++)
			if (cases[i].routes[k].family != 0)
				add_route(&a, &cases[i].routes[k]);
		assert_true(routes_parse(a.data, a.len, &found));
		assert_int_equal(found.v4.index, cases[i].v4);
		assert_int_equal(found.v6.index, cases[i].v6);
		add_bytes(&a, &done, sizeof(done));
		assert_false(routes_parse(a.data, a.len, &found));
		for (size_t len = 0; len < a.len; len++)
			routes_parse(a.data, len, &found);
	}
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
		cmocka_unit_test(test_loopback_addresses),
		cmocka_unit_test(test_no_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
