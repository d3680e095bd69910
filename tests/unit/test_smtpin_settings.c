/* SPDX-License-Identifier: MIT */
/* What the manual of smtpin says of its options. */
#include "settings.h"

#include <string.h>
#include <sysexits.h>

#include "options.h"

#include "settings_words.h"
#include "test.h"

static void
defaults_are_as_documented(void **state)
{
	static const char *const words[] = { "-uusers", NULL };
	struct smtpd_settings server;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	assert_int_equal(s.in.port, 25);
	assert_int_equal(s.in.tls_port, 0);
	assert_false(s.in.loopback);
	assert_int_equal(s.interfaces.count, 0);
	assert_string_equal(s.maildir, "/var/mail/%u/Maildir");
	assert_int_equal(s.in.log_level, SMTPD_LOG_INFO);
	/* O32 */
	assert_int_equal(s.min_free, 8 * 1048576);
	assert_int_equal(s.quota, 0);
	settings_for_server(&s, &server);
	assert_string_equal(server.hostname, "host.example.org");
	assert_int_equal(server.max_connections, 1000);
	assert_int_equal(server.max_per_address, 20);
	assert_int_equal(server.max_per_network, 50);
	assert_int_equal(server.max_message_size, 52428800);
	assert_int_equal(server.max_recipients, 1000);
	assert_int_equal(server.idle_timeout_ms, 300000);
	assert_true(server.max_text_line == SMTPD_NO_LIMIT);
	assert_int_equal(server.errors_soft, 5);
	assert_int_equal(server.errors_hard, 20);
	assert_int_equal(server.greet_delay_ms, 0);
	assert_true(server.connect_rate_per_address == SMTPD_NO_LIMIT);
	assert_true(server.connect_rate_per_network == SMTPD_NO_LIMIT);
	assert_true(server.rcpt_rate_per_address == SMTPD_NO_LIMIT);
	assert_true(server.rcpt_rate_per_network == SMTPD_NO_LIMIT);
	settings_finish(&s);
}

static void
options_reach_the_server(void **state)
{
	static const char *const words[] = { "-uusers", "--max-per-address=30",
		"--slow-after=9", "--close-after=7", "--greet-delay=2",
		"--min-free=2G", "--quota=3M", "--max-rate=10/s",
		"--max-rcpt-rate=1000/h", "-ccert", "-kkey", NULL };
	struct smtpd_settings server;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	assert_int_equal(s.in.tls_port, 465);
	assert_true(s.min_free == UINT64_C(2) << 30);
	assert_true(s.quota == 3145728);
	settings_for_server(&s, &server);
	assert_int_equal(server.max_per_network, 75);
	/* Nobody is slowed down after the end. */
	assert_int_equal(server.errors_soft, 7);
	assert_int_equal(server.errors_hard, 7);
	assert_int_equal(server.greet_delay_ms, 2000);
	assert_int_equal(server.connect_rate_per_address, 10);
	assert_int_equal(server.connect_rate_per_network, 25);
	assert_int_equal(server.connect_rate_ms, 1000);
	assert_int_equal(server.rcpt_rate_per_address, 1000);
	assert_int_equal(server.rcpt_rate_per_network, 2500);
	assert_int_equal(server.rcpt_rate_ms, 3600000);
	settings_finish(&s);
}

static void
zero_means_no_limit(void **state)
{
	static const char *const words[] = { "-uusers", "--max-connections=0",
		"--max-per-address=0", "--max-message-size=0",
		"--max-recipients=0", "--idle-timeout=0", "--slow-after=0",
		"--close-after=0", NULL };
	struct smtpd_settings server;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	settings_for_server(&s, &server);
	assert_true(server.max_connections == SMTPD_NO_LIMIT);
	assert_true(server.max_per_address == SMTPD_NO_LIMIT);
	assert_true(server.max_per_network == SMTPD_NO_LIMIT);
	assert_true(server.max_message_size == SMTPD_NO_SIZE_LIMIT);
	assert_true(server.max_recipients == SMTPD_NO_LIMIT);
	assert_true(server.idle_timeout_ms == SMTPD_NO_TIMEOUT);
	assert_true(server.errors_soft == SMTPD_NO_LIMIT);
	assert_true(server.errors_hard == SMTPD_NO_LIMIT);
	settings_finish(&s);
}

static void
mistakes_are_refused(void **state)
{
	static const char *const cases[][WORDS_MAX] = {
		{ NULL },
		{ "-uusers", "--max-recipients", "99" },
		{ "-uusers", "--min-free", "0" },
		{ "-uusers", "--queue", "q" },
		{ "-uusers", "--remove-bcc" },
		{ "-uusers", "--tls-port", "465" },
		{ "-uusers", "-ccert" },
		{ "-uusers", "-ccert", "-kkey", "--tls-port", "25" },
		{ "-uusers", "--proxy-from" },
		{ "-uusers", "--max-rate", "10" },
		{ "-uusers", "--max-rate", "0/s" },
		{ "-uusers", "--max-rate", "-1/s" },
		{ "-uusers", "--max-rate", " 1/s" },
		{ "-uusers", "--max-rate", "10/d" },
		{ "-uusers", "--max-rate", "10/s " },
		{ "-uusers", "--max-rate", "1000001/s" },
		{ "-uusers", "--max-rcpt-rate", "/m" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings s;

		if (settings_words(cases[i], &s) != EX_USAGE)
			fail_msg("case %zu was taken", i);
		settings_finish(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(options_reach_the_server),
		cmocka_unit_test(zero_means_no_limit),
		cmocka_unit_test(mistakes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
