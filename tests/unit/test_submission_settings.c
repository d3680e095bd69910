/* SPDX-License-Identifier: MIT */
/* What the manual of submission says of its options. */
#include "settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <sysexits.h>

#include "options.h"

#include "settings_words.h"
#include "test.h"

#define NEEDED "-Aaccounts", "-ccert", "-kkey"

static void
defaults_are_as_documented(void **state)
{
	static const char *const words[] = { NEEDED, NULL };
	struct smtpd_settings server;
	struct sockaddr_un un;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	assert_int_equal(s.in.port, 587);
	assert_int_equal(s.in.tls_port, 465);
	assert_int_equal(s.user_hour, 500);
	assert_int_equal(s.user_day, 2000);
	assert_false(s.any_from);
	memcpy(&un, &s.target.addr, sizeof(un));
	assert_int_equal(un.sun_family, AF_UNIX);
	assert_string_equal(un.sun_path, "/run/smtpout/socket");
	settings_for_server(&s, &server);
	assert_int_equal(server.max_per_address, 20);
	assert_int_equal(server.max_per_network, 50);
	assert_string_equal(
	    server.auth_mechanisms, "SCRAM-SHA-256 PLAIN LOGIN");
	assert_int_equal(server.auth_iterations, 15000);
	assert_int_equal(server.flags & SMTPD_FLAG_AUTH_WITHOUT_TLS, 0);
	assert_true((server.flags & SMTPD_FLAG_AUTH_REQUIRED) != 0);
	settings_finish(&s);
}

static void
options_are_obeyed(void **state)
{
	static const char *const words[] = { NEEDED, "--no-scram",
		"--smtpout=[::1]:2525", "--max-per-address=4", NULL };
	struct smtpd_settings server;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	assert_int_equal(s.target.addr.ss_family, AF_INET6);
	assert_int_equal(s.port, 2525);
	settings_for_server(&s, &server);
	assert_int_equal(server.max_per_network, 10);
	assert_string_equal(server.auth_mechanisms, "PLAIN LOGIN");
	settings_finish(&s);
}

static void
mistakes_are_refused(void **state)
{
	static const char *const cases[][5] = {
		{ "-ccert", "-kkey" },
		{ "-Aaccounts" },
		{ NEEDED, "--smtpout=192.0.2.1" },
		{ NEEDED, "--smtpout=host.example" },
		{ NEEDED, "--smtpout=tls://127.0.0.1" },
		{ NEEDED, "--smtpout=ann@127.0.0.1" },
		{ NEEDED, "--smtpout=127.0.0.1:x" },
		{ NEEDED, "--smtpout=" },
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(settings_words(cases[i], &s), EX_USAGE);
		settings_finish(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(options_are_obeyed),
		cmocka_unit_test(mistakes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
