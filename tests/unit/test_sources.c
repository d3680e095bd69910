/* SPDX-License-Identifier: MIT */
#include "client/sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/connect.h"
#include "scripted.h"

#include "test.h"

#define SOURCE(...) { SMTPD_SOURCE_INIT, __VA_ARGS__ }

static void
each_family_has_its_own(void **state)
{
	static const struct smtpd_source given[] = {
		SOURCE("2001:db8::1", "six.example"),
		SOURCE("192.0.2.1", NULL),
	};
	struct smtpd_client_sources s;
	char text[SMTPD_ADDRESS_TEXT_SIZE];

	(void)state;
	assert_int_equal(smtpd__client_sources_read(given, 2, &s), 0);
	smtpd__socket_host(&smtpd__client_sources_find(&s, AF_INET)->address,
	    text, sizeof(text));
	assert_string_equal(text, "192.0.2.1");
	assert_string_equal(
	    smtpd__client_sources_find(&s, AF_INET)->hostname, "");
	smtpd__socket_host(&smtpd__client_sources_find(&s, AF_INET6)->address,
	    text, sizeof(text));
	assert_string_equal(text, "2001:db8::1");
	assert_string_equal(
	    smtpd__client_sources_find(&s, AF_INET6)->hostname, "six.example");
	assert_null(smtpd__client_sources_find(&s, AF_UNIX));
	assert_int_equal(smtpd__client_sources_read(given, 1, &s), 0);
	assert_null(smtpd__client_sources_find(&s, AF_INET));
	assert_int_equal(smtpd__client_sources_read(NULL, 0, &s), 0);
	assert_null(smtpd__client_sources_find(&s, AF_INET6));
}

static const struct {
	size_t count;
	struct smtpd_source given[2];
} bad[] = {
	{ 1, { SOURCE(NULL, NULL) } },
	{ 1, { SOURCE("", NULL) } },
	{ 1, { SOURCE("192.0.2.1:25", NULL) } },
	{ 1, { SOURCE("[2001:db8::1]", NULL) } },
	{ 1, { SOURCE("mx.example", NULL) } },
	{ 1, { SOURCE("192.0.2.1", "a b") } },
	{ 1, { SOURCE("192.0.2.1", "") } },
	{ 1, { { .address = "192.0.2.1" } } },
	{ 2, { SOURCE("192.0.2.1", NULL), SOURCE("192.0.2.2", NULL) } },
	/* A mapped one is one of IPv4. */
	{ 2, { SOURCE("192.0.2.1", NULL), SOURCE("::ffff:192.0.2.2", NULL) } },
};

static void
what_cannot_be_is_refused(void **state)
{
	struct smtpd_client_settings set = { SMTPD_CLIENT_SETTINGS_INIT,
		.nsources = 1 };
	struct smtpd_client_sources s;

	(void)state;
	assert_int_equal(smtpd__client_sources_read(NULL, 1, &s), -1);
	assert_null(smtpd_client_create(&set));
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (smtpd__client_sources_read(
			bad[i].given, bad[i].count, &s) == 0)
			fail_msg("number %zu was taken", i);
		set.sources = bad[i].given;
		set.nsources = bad[i].count;
		assert_null(smtpd_client_create(&set));
		assert_int_equal(errno, EINVAL);
	}
}

/* The connection comes from the source, by any port. */
static void
a_connection_comes_from_its_source(void **state)
{
	static const struct smtpd_source given = SOURCE("127.0.0.9", NULL);
	struct smtpd_client_sources sources;
	struct smtpd_sockaddr local;
	struct scripted peer;
	char text[SMTPD_ADDRESS_TEXT_SIZE];
	struct smtpd_race r = { .targets = &peer.target,
		.count = 1,
		.connect_ms = 20000,
		.stagger_ms = 20000,
		.cancel_fd = -1,
		.sources = &sources };
	int fd;

	(void)state;
	assert_int_equal(smtpd__client_sources_read(&given, 1, &sources), 0);
	scripted_start(&peer, "hold\n");
	r.port = peer.port;
	fd = smtpd__client_connect_race(&r);
	assert_int_not_equal(fd, -1);
	assert_null(r.unbound);
	assert_int_equal(smtpd__socket_local(fd, &local), 0);
	smtpd__socket_host(&local, text, sizeof(text));
	assert_string_equal(text, "127.0.0.9");
	assert_int_not_equal(smtpd__socket_port(&local), 0);
	close(fd);
	scripted_finish(&peer);
}

/* One that is not there keeps no other family from being tried. */
static void
a_missing_source_is_told(void **state)
{
	static const struct smtpd_source given = SOURCE("2001:db8::99", NULL);
	struct smtpd_client_sources sources;
	struct smtpd_target targets[2];
	struct scripted peer;
	struct smtpd_race r = { .targets = targets,
		.count = 1,
		.connect_ms = 20000,
		.stagger_ms = 20000,
		.cancel_fd = -1,
		.sources = &sources };
	int fd;

	(void)state;
	assert_int_equal(smtpd__client_sources_read(&given, 1, &sources), 0);
	scripted_start(&peer, "hold\n");
	targets[0] = scripted_target("::1", "a.example");
	targets[1] = peer.target;
	r.port = peer.port;
	assert_int_equal(smtpd__client_connect_race(&r), -1);
	assert_int_equal(r.error, EADDRNOTAVAIL);
	assert_ptr_equal(r.unbound, &sources.ipv6);
	assert_false(r.answered);
	r.next = 0;
	r.count = 2;
	fd = smtpd__client_connect_race(&r);
	assert_int_not_equal(fd, -1);
	assert_null(r.unbound);
	close(fd);
	scripted_finish(&peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_family_has_its_own),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_connection_comes_from_its_source),
		cmocka_unit_test(a_missing_source_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
