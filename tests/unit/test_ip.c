/* SPDX-License-Identifier: MIT */

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "resolve/ip.h"

#include "test.h"

struct literal_case {
	const char *literal;
	const char *want; /* NULL: none */
};

static const struct literal_case literals[] = {
	{ "[192.0.2.1]", "192.0.2.1" },
	{ "[255.255.255.255]", "255.255.255.255" },
	{ "[IPv6:2001:db8::1]", "2001:db8::1" },
	{ "[ipv6:::]", "::" },
	{ "[IPv6:::ffff:192.0.2.1]", "::ffff:192.0.2.1" },
	{ "[IPv6:1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8" },
	{ "192.0.2.1", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "", NULL },
	{ "[192.0.2.1", NULL },
	{ "[192.0.2.1]x", NULL },
	{ "[192.0.2]", NULL },
	{ "[192.0.2.256]", NULL },
	{ "[192.0.2.1:25]", NULL },
	{ "[2001:db8::1]", NULL },
	{ "[IPv6:192.0.2.1]", NULL },
	{ "[IPv6:fe80::1%lo]", NULL },
	{ "[IPv6:1:2:3:4:5:6:7:8:9]", NULL },
	{ "[IPv6:]", NULL },
	{ "[example.org]", NULL },
};

static void
literals_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		const struct literal_case *c = &literals[i];
		char text[INET6_ADDRSTRLEN];
		struct smtpd_ip ip;
		int status = smtpd__ip_parse_literal(c->literal, &ip);

		if (status != (c->want == NULL ? -1 : 0))
			fail_msg("%s", c->literal);
		if (status != 0)
			continue;
		inet_ntop(ip.family, ip.bytes, text, sizeof(text));
		assert_string_equal(text, c->want);
	}
}

static struct smtpd_ip
ip_of(const char *text)
{
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	unsigned char bytes[16];

	assert_int_equal(inet_pton(family, text, bytes), 1);
	return smtpd__ip_make(family, bytes);
}

static const char *const local[] = {
	"127.0.0.1",
	"127.255.255.254",
	"0.0.0.0",
	"169.254.169.254",
	"::1",
	"::",
	"fe80::1",
	"febf::1",
	"::ffff:127.0.0.1",
	"::ffff:0.0.0.0",
	"::ffff:169.254.1.1",
};

static const char *const elsewhere[] = {
	"128.0.0.1",
	"126.255.255.255",
	"1.0.0.0",
	"169.253.0.1",
	"198.51.100.1",
	"::2",
	"::1:0:0:1",
	"fec0::1",
	"fe7f::1",
	"2001:db8::1",
	"::ffff:198.51.100.1",
	"::127.0.0.1",
};

static void
local_addresses_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		struct smtpd_ip ip = ip_of(local[i]);

		if (!smtpd__ip_is_local(&ip))
			fail_msg("%s", local[i]);
	}
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		struct smtpd_ip ip = ip_of(elsewhere[i]);

		if (smtpd__ip_is_local(&ip))
			fail_msg("%s", elsewhere[i]);
	}
}

/* S35 */
static void
private_addresses_are_known(void **state)
{
	static const char *const private[] = { "10.0.0.0", "10.255.255.255",
		"172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
		"100.127.255.255", "fc00::1", "fdff::1", "::ffff:10.0.0.1",
		"64:ff9b::192.168.0.1" };
	static const char *const public[] = { "9.255.255.255", "11.0.0.1",
		"172.15.0.1", "172.32.0.1", "192.167.0.1", "192.169.0.1",
		"100.63.0.1", "100.128.0.1", "fbff::1", "fe00::1",
		"64:ff9b::198.51.100.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		struct smtpd_ip ip = ip_of(private[i]);

		if (!smtpd__ip_is_private(&ip))
			fail_msg("%s", private[i]);
	}
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		struct smtpd_ip ip = ip_of(public[i]);

		if (smtpd__ip_is_private(&ip))
			fail_msg("%s", public[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_read),
		cmocka_unit_test(local_addresses_are_known),
		cmocka_unit_test(private_addresses_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
