/* SPDX-License-Identifier: MIT */
#include "server/limits.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define MANY 100

/* One connection after the other; none is given back. */
struct arrival {
	const char *from;
	enum smtpd_admission status;
	uid_t uid; /* of a socket's peer; 0: not known */
};

/* As uid: it is root. */
#define ROOT ((uid_t) - 2)

static struct smtpd_sockaddr
address(const char *host)
{
	struct smtpd_sockaddr a;
	char text[128];

	snprintf(text, sizeof(text), host[0] == '/' ? "%s" : "%s:1", host);
	assert_int_equal(smtpd__socket_parse(text, &a), 0);
	return a;
}

static void
check(
    const struct smtpd_settings *settings, const struct arrival *list, size_t n)
{
	struct smtpd_slot tickets[MANY];
	size_t admitted = 0;
	struct smtpd_limits l;

	smtpd__limits_init(&l, settings);
	for (size_t i = 0; i < n; i++) {
		struct smtpd_sockaddr a = address(list[i].from);
		struct smtpd_slot t;
		uid_t uid = list[i].uid == ROOT ? 0 : list[i].uid;
		enum smtpd_admission status = smtpd__limits_admit(
		    &l, &a, list[i].uid == 0 ? NULL : &uid, &t);

		if (status != list[i].status)
			print_error("number %zu, %s\n", i, list[i].from);
		assert_int_equal(status, list[i].status);
		if (status == SMTPD_ADMISSION_OK)
			tickets[admitted++] = t;
	}
	assert_int_equal(l.connections, admitted);
	while (admitted > 0)
		smtpd__limits_leave(&l, &tickets[--admitted]);
	assert_int_equal(l.connections, 0);
	for (size_t i = 0; i < SMTPD_PEERS_BUCKETS; i++)
		assert_null(l.buckets[i]);
	smtpd__limits_finish(&l);
}

#define CHECK(settings, list) \
	check(settings, list, sizeof(list) / sizeof((list)[0]))

static const struct smtpd_settings small = {
	SMTPD_SETTINGS_INIT,
	.max_connections = 100,
	.max_per_address = 2,
	.max_per_network = 3,
};

/* RFC 5321, 7.8 */
static void
test_ipv4(void **state)
{
	static const struct arrival list[] = {
		{ "192.0.2.1", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.1", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.1", SMTPD_ADMISSION_PEER_FULL, 0 },
		{ "192.0.2.2", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.2", SMTPD_ADMISSION_PEER_FULL, 0 },
		{ "192.0.2.255", SMTPD_ADMISSION_PEER_FULL, 0 },
		{ "192.0.3.1", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.1.255", SMTPD_ADMISSION_OK, 0 },
		{ "193.0.2.1", SMTPD_ADMISSION_OK, 0 },
	};

	(void)state;
	CHECK(&small, list);
}

/* Who has one IPv6 address has a /64. */
static void
test_ipv6(void **state)
{
	static const struct arrival list[] = {
		{ "[2001:db8:0:1::1]", SMTPD_ADMISSION_OK, 0 },
		{ "[2001:db8:0:1::1]", SMTPD_ADMISSION_OK, 0 },
		{ "[2001:db8:0:1::1]", SMTPD_ADMISSION_PEER_FULL, 0 },
		{ "[2001:db8:0:1:ffff:ffff:ffff:ffff]", SMTPD_ADMISSION_OK, 0 },
		{ "[2001:db8:0:1::3]", SMTPD_ADMISSION_PEER_FULL, 0 },
		{ "[2001:db8:0:2::1]", SMTPD_ADMISSION_OK, 0 },
		{ "[2001:db8:0:0:ffff::]", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.1", SMTPD_ADMISSION_OK, 0 },
	};

	(void)state;
	CHECK(&small, list);
}

/* An address that is all zero is another than the network of zeros. */
static void
test_address_is_not_network(void **state)
{
	static const struct arrival list[] = {
		{ "192.0.2.0", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.1", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.0", SMTPD_ADMISSION_OK, 0 },
		{ "192.0.2.0", SMTPD_ADMISSION_PEER_FULL, 0 },
	};

	(void)state;
	CHECK(&small, list);
}

/* A user of this host is one, whichever way he comes, and his address does not
 * count. */
static void
test_user_over_tcp(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = 100,
		.max_per_address = 1,
		.max_per_network = 1,
		.max_per_user = 2,
	};
	static const struct arrival list[] = {
		{ "127.0.0.1", SMTPD_ADMISSION_OK, 1000 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1000 },
		{ "127.0.0.1", SMTPD_ADMISSION_PEER_FULL, 1000 },
		{ "[::1]", SMTPD_ADMISSION_PEER_FULL, 1000 },
		{ "127.0.0.1", SMTPD_ADMISSION_OK, 1001 },
		{ "127.0.0.1", SMTPD_ADMISSION_OK, 0 },
		{ "127.0.0.1", SMTPD_ADMISSION_PEER_FULL, 0 },
		{ "127.0.0.1", SMTPD_ADMISSION_OK, ROOT },
	};

	(void)state;
	CHECK(&settings, list);
}

/* A UNIX socket has no address: only the whole counts. */
static void
test_unix(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = 3,
		.max_per_address = 1,
		.max_per_network = 1,
	};
	static const struct arrival list[] = {
		{ "/run/x", SMTPD_ADMISSION_OK, 0 },
		{ "/run/x", SMTPD_ADMISSION_OK, 0 },
		{ "/run/x", SMTPD_ADMISSION_OK, 0 },
		{ "/run/x", SMTPD_ADMISSION_FULL, 0 },
		{ "192.0.2.1", SMTPD_ADMISSION_FULL, 0 },
	};

	(void)state;
	CHECK(&settings, list);
}

/* O3: A user of this host has a share, and root more than that. */
static void
test_users(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = 10,
		.max_per_address = 1,
		.max_per_network = 1,
		.max_per_user = 5,
	};
	static const struct arrival list[] = {
		{ "/run/x", SMTPD_ADMISSION_OK, 1000 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1000 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1000 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1000 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1000 },
		{ "/run/x", SMTPD_ADMISSION_PEER_FULL, 1000 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1001 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1001 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1001 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1001 },
		{ "/run/x", SMTPD_ADMISSION_FULL, 1001 },
		{ "/run/x", SMTPD_ADMISSION_OK, 1002 },
		{ "/run/x", SMTPD_ADMISSION_FULL, 1003 },
		{ "/run/x", SMTPD_ADMISSION_OK, ROOT },
		{ "/run/x", SMTPD_ADMISSION_OK, ROOT },
		{ "/run/x", SMTPD_ADMISSION_FULL, ROOT },
	};

	(void)state;
	CHECK(&settings, list);
}

/* The last tenth is for those who have none. */
static void
test_last_tenth(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = 20,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
	};
	struct arrival list[MANY];
	size_t n = 0;

	(void)state;
	while (n < 18)
		list[n++] =
		    (struct arrival){ "192.0.2.1", SMTPD_ADMISSION_OK, 0 };
	list[n++] = (struct arrival){ "192.0.2.1", SMTPD_ADMISSION_FULL, 0 };
	list[n++] = (struct arrival){ "192.0.2.2", SMTPD_ADMISSION_OK, 0 };
	list[n++] =
	    (struct arrival){ "192.0.2.2", SMTPD_ADMISSION_OVERFULL, 0 };
	list[n++] = (struct arrival){ "/run/x", SMTPD_ADMISSION_OK, 0 };
	list[n++] = (struct arrival){ "192.0.2.3", SMTPD_ADMISSION_FULL, 0 };
	check(&settings, list, n);
}

/* O3: Nobody has to leave for a client that is not admitted even then: it has
 * its share, or more than one is too many. */
static void
test_nobody_leaves_in_vain(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = 20,
		.max_per_address = 18,
		.max_per_network = SMTPD_NO_LIMIT,
		.max_per_user = 1,
	};
	struct arrival list[MANY];
	size_t n = 0;

	(void)state;
	while (n < 18)
		list[n++] =
		    (struct arrival){ "192.0.2.1", SMTPD_ADMISSION_OK, 0 };
	list[n++] =
	    (struct arrival){ "192.0.2.1", SMTPD_ADMISSION_OVERFULL, 0 };
	list[n++] = (struct arrival){ "192.0.2.2", SMTPD_ADMISSION_OK, 0 };
	list[n++] =
	    (struct arrival){ "192.0.2.2", SMTPD_ADMISSION_OVERFULL, 0 };
	list[n++] = (struct arrival){ "/run/x", SMTPD_ADMISSION_OK, 1000 };
	list[n++] =
	    (struct arrival){ "/run/x", SMTPD_ADMISSION_OVERFULL, 1000 };
	list[n++] = (struct arrival){ "192.0.2.3", SMTPD_ADMISSION_FULL, 0 };
	check(&settings, list, n);
}

static void
test_no_limit(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = SMTPD_NO_LIMIT,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
	};
	struct arrival list[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		list[i] =
		    (struct arrival){ "192.0.2.1", SMTPD_ADMISSION_OK, 0 };
	check(&settings, list, MANY);
}

/* Who leaves makes room, and only there. */
static void
test_leave(void **state)
{
	struct smtpd_sockaddr one = address("192.0.2.1");
	struct smtpd_sockaddr two = address("192.0.2.2");
	struct smtpd_slot first, second, third, none;
	struct smtpd_limits l;

	(void)state;
	smtpd__limits_init(&l, &small);
	assert_int_equal(
	    smtpd__limits_admit(&l, &one, NULL, &first), SMTPD_ADMISSION_OK);
	assert_int_equal(
	    smtpd__limits_admit(&l, &one, NULL, &second), SMTPD_ADMISSION_OK);
	assert_int_equal(
	    smtpd__limits_admit(&l, &two, NULL, &third), SMTPD_ADMISSION_OK);
	assert_int_equal(smtpd__limits_admit(&l, &two, NULL, &none),
	    SMTPD_ADMISSION_PEER_FULL);
	smtpd__limits_leave(&l, &third);
	assert_int_equal(smtpd__limits_admit(&l, &one, NULL, &none),
	    SMTPD_ADMISSION_PEER_FULL);
	assert_int_equal(
	    smtpd__limits_admit(&l, &two, NULL, &third), SMTPD_ADMISSION_OK);
	smtpd__limits_leave(&l, &first);
	smtpd__limits_leave(&l, &second);
	smtpd__limits_leave(&l, &third);
	smtpd__limits_finish(&l);
}

/* Many addresses in one bucket, and out of it in another order. */
static void
test_many_addresses(void **state)
{
	enum {
		COUNT = 5000
	};
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = COUNT,
		.max_per_address = 1,
		.max_per_network = 256,
	};
	static struct smtpd_slot tickets[COUNT];
	struct smtpd_limits l;

	(void)state;
	smtpd__limits_init(&l, &settings);
	for (int i = 0; i < COUNT; i++) {
		char host[32];
		struct smtpd_sockaddr a;

		snprintf(host, sizeof(host), "10.0.%d.%d", i / 256, i % 256);
		a = address(host);
		assert_int_equal(smtpd__limits_admit(&l, &a, NULL, &tickets[i]),
		    SMTPD_ADMISSION_OK);
	}
	for (int i = 0; i < COUNT; i += 2)
		smtpd__limits_leave(&l, &tickets[i]);
	for (int i = 1; i < COUNT; i += 2)
		smtpd__limits_leave(&l, &tickets[i]);
	for (size_t i = 0; i < SMTPD_PEERS_BUCKETS; i++)
		assert_null(l.buckets[i]);
	smtpd__limits_finish(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_address_is_not_network),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_user_over_tcp),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_last_tenth),
		cmocka_unit_test(test_nobody_leaves_in_vain),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
