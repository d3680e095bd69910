/* SPDX-License-Identifier: MIT */
#include "queue_settings.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "listen.h"
#include "options.h"

#include "settings_words.h"
#include "test.h"

static void
defaults_are_as_documented(void **state)
{
	static const char *const none[] = { NULL };
	struct smtpd_settings server;
	struct smtpd_queue_settings queue;
	struct queue_parts parts;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(none, &s), OPTIONS_GO);
	assert_true(s.in.loopback);
	assert_true(s.default_socket);
	assert_int_equal(s.in.port, 25);
	assert_int_equal(s.in.tls_port, 0);
	assert_string_equal(s.queue, "/var/spool/smtpout");
	settings_for_server(&s, &server);
	assert_true((server.flags & SMTPD_FLAG_DSN) != 0);
	/* T5, T6: Programs of this host are helped out. */
	assert_true((server.flags & SMTPD_FLAG_BARE_ADDRESSES) != 0);
	assert_true((server.flags & SMTPD_FLAG_CHUNKING) != 0);
	assert_string_equal(server.default_domain, "host.example.org");
	/* RU7: They are not slowed down. */
	assert_int_equal(server.errors_soft, server.errors_hard);
	assert_int_equal(server.errors_hard, 1000);
	/* RU5 */
	assert_int_equal(server.bare_cr, SMTPD_TREAT_DEFAULT);
	assert_int_equal(server.max_connections, 1000);
	assert_int_equal(server.max_per_address, 1000);
	assert_true(server.max_per_network == SMTPD_NO_LIMIT);
	assert_int_equal(server.max_per_user, 100);
	assert_int_equal(server.max_message_size, 52428800);
	assert_int_equal(server.max_recipients, 1000);
	assert_int_equal(server.idle_timeout_ms, 300000);
	/* The library's: 65536. */
	assert_int_equal(server.max_text_line, 0);
	queue_settings_set(&s, &parts, &queue);
	assert_string_equal(queue.hostname, "host.example.org");
	assert_int_equal(queue.port, 25);
	assert_int_equal(queue.workers, 64);
	assert_int_equal(queue.site_connections, 10);
	assert_int_equal(queue.retry_min_s, 300);
	assert_int_equal(queue.retry_max_s, 7200);
	assert_int_equal(queue.lifetime_s, 432000);
	assert_int_equal(queue.bounce_lifetime_s, 172800);
	assert_int_equal(queue.delay_notice_s, 14400);
	assert_int_equal(queue.fix,
	    SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID | SMTPD_FIX_ADDRESSES);
	assert_string_equal(queue.local_domain, "host.example.org");
	assert_null(queue.masquerade);
	assert_null(s.aliases);
	/* The library's. */
	assert_int_equal(queue.segment_size, 0);
	assert_int_equal(queue.min_free, 0);
	assert_null(queue.postmaster);
	assert_null(queue.smarthost);
	assert_int_equal(queue.nrules, 0);
	assert_null(queue.limits);
	assert_int_equal(parts.client.security, SMTPD_SECURITY_OPPORTUNISTIC);
	assert_true(queue.policy->dane);
	assert_false(queue.policy->tls_lost_defer);
	assert_false(parts.resolver.trust_servers);
	assert_int_equal(parts.client.connect_ms, 30000);
	assert_int_equal(parts.client.rcpt_ms, 0);
	assert_false(parts.resolver.self_is_good);
	assert_false(parts.resolver.refuse_private);
	assert_null(parts.resolver.servers);
	settings_finish(&s);
}

static void
options_reach_the_queue(void **state)
{
	static const char *const words[] = { "--retry-min=5", "--lifetime=60",
		"--delay-notice=0", "--command-timeout=7", "--tls=never",
		"--tls=bank.example=require", "--tls=b.example=opportunistic",
		"--tls=c.example=require,match=mx.c.example,d.example",
		"--tls=e.example=require match=f.example", "--remote-port=2525",
		"--refuse-private", "--smarthost=tls://[2001:db8::1]",
		"--no-dane", "--tls-lost=defer", "--trust-resolver",
		"--limit=a.example:connections=2",
		"--limit=*:rate=3/m,messages=4", NULL };
	const struct smtpd_queue_destination a = { "a.example", "mx" };
	const struct smtpd_queue_destination b = { "b.example", "mx" };
	struct smtpd_site_limits of_a = { SMTPD_SITE_LIMITS_INIT };
	struct smtpd_site_limits of_b = { SMTPD_SITE_LIMITS_INIT };
	struct smtpd_queue_settings queue;
	struct queue_parts parts;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	queue_settings_set(&s, &parts, &queue);
	assert_int_equal(queue.retry_min_s, 5);
	assert_int_equal(queue.lifetime_s, 60);
	assert_int_equal(queue.bounce_lifetime_s, 60);
	assert_true(queue.delay_notice_s == SMTPD_NO_TIMEOUT);
	assert_int_equal(parts.client.rcpt_ms, 7000);
	assert_int_equal(parts.client.dot_ms, 7000);
	assert_int_equal(parts.client.security, SMTPD_SECURITY_NONE);
	assert_false(queue.policy->dane);
	assert_true(queue.policy->tls_lost_defer);
	assert_true(parts.resolver.trust_servers);
	assert_int_equal(queue.nrules, 4);
	assert_string_equal(queue.rules[0].domain, "bank.example");
	assert_int_equal(queue.rules[0].security, SMTPD_SECURITY_REQUIRED);
	assert_string_equal(queue.rules[1].domain, "b.example");
	/* S22 */
	assert_int_equal(queue.rules[1].nnames, 0);
	assert_int_equal(queue.rules[2].nnames, 2);
	assert_string_equal(queue.rules[2].names[0], "mx.c.example");
	assert_string_equal(queue.rules[2].names[1], "d.example");
	assert_int_equal(queue.rules[3].nnames, 1);
	assert_string_equal(queue.rules[3].names[0], "f.example");
	assert_true(parts.resolver.self_is_good);
	assert_true(parts.resolver.refuse_private);
	assert_non_null(queue.smarthost);
	assert_string_equal(queue.smarthost->host, "2001:db8::1");
	assert_int_equal(queue.smarthost->port, 465);
	assert_true(queue.smarthost->tls_first);
	assert_null(queue.smarthost->user);
	queue.limits(&a, &of_a, queue.limits_user);
	assert_int_equal(of_a.connections, 2);
	assert_int_equal(of_a.messages, 0);
	queue.limits(&b, &of_b, queue.limits_user);
	assert_int_equal(of_b.messages, 3);
	assert_int_equal(of_b.messages_s, 60);
	assert_int_equal(of_b.messages_per_connection, 4);
	settings_finish(&s);
}

static void
other_options_reach_their_place(void **state)
{
	static const char *const words[] = { "-l", "--min-free=1G",
		"--queue-segment=1M", "--max-per-user=0", "--max-connections=7",
		"--remove-bcc", "--postmaster=pm@example.org", "-ccert",
		"-kkey", NULL };
	struct smtpd_settings server;
	struct smtpd_queue_settings queue;
	struct queue_parts parts;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	assert_false(s.default_socket);
	assert_int_equal(s.in.tls_port, 465);
	settings_for_server(&s, &server);
	assert_true(server.max_per_user == SMTPD_NO_LIMIT);
	assert_int_equal(server.max_per_address, 7);
	queue_settings_set(&s, &parts, &queue);
	assert_int_equal(queue.min_free, 1073741824);
	assert_int_equal(queue.segment_size, 1048576);
	assert_true((queue.fix & SMTPD_FIX_BCC) != 0);
	assert_string_equal(queue.postmaster, "pm@example.org");
	settings_finish(&s);
}

/* A password is read by the program, a token by its source. */
static void
a_login_reaches_the_smarthost(void **state)
{
	static const char *const password[] = { "--smarthost=ann@h.example",
		"--password-file=f", "--auth-mechanisms=login", NULL };
	static const char *const token[] = { "--smarthost=ann@h.example",
		"--token-command=/c a",
		"--auth-mechanisms=XOAUTH2, oauthbearer", NULL };
	struct smtpd_queue_settings queue;
	struct queue_parts parts;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(password, &s), OPTIONS_GO);
	queue_settings_set(&s, &parts, &queue);
	assert_string_equal(queue.smarthost->user, "ann");
	assert_non_null(queue.smarthost->password);
	assert_null(queue.smarthost->credentials);
	assert_string_equal(queue.smarthost->mechanisms, "login");
	settings_finish(&s);
	assert_int_equal(settings_words(token, &s), OPTIONS_GO);
	queue_settings_set(&s, &parts, &queue);
	assert_null(queue.smarthost->password);
	assert_non_null(queue.smarthost->credentials);
	assert_string_equal(
	    queue.smarthost->mechanisms, "XOAUTH2  oauthbearer");
	settings_finish(&s);
}

static void
sources_reach_the_client(void **state)
{
	static const char *const words[] = { "--source=192.0.2.1=a.example",
		"--source=2001:db8::1", NULL };
	struct smtpd_queue_settings queue;
	struct queue_parts parts;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	queue_settings_set(&s, &parts, &queue);
	assert_int_equal(queue.client->nsources, 2);
	assert_string_equal(queue.client->sources[0].address, "192.0.2.1");
	assert_string_equal(queue.client->sources[0].hostname, "a.example");
	assert_string_equal(queue.client->sources[1].address, "2001:db8::1");
	assert_null(queue.client->sources[1].hostname);
	settings_finish(&s);
}

/* RU5 */
static void
crs_are_repaired_by_option(void **state)
{
	static const char *const words[] = { "--repair-cr", NULL };
	struct smtpd_settings server;
	struct settings s;

	(void)state;
	assert_int_equal(settings_words(words, &s), OPTIONS_GO);
	settings_for_server(&s, &server);
	assert_int_equal(server.bare_cr, SMTPD_TREAT_REPAIR);
	settings_finish(&s);
}

static void
mistakes_are_refused(void **state)
{
	static const char *const cases[][WORDS_MAX] = {
		{ "-i", "eth0" },
		{ "-u", "users" },
		{ "--maildir", "%u" },
		{ "--listen", "0.0.0.0" },
		{ "--listen", "192.0.2.1:25" },
		{ "--listen", "[::]:25" },
		{ "--listen", "localhost" },
		{ "--listen", "relative/path" },
		{ "--tls", "sometimes" },
		{ "--tls", "a b=require" },
		{ "--tls", "=require" },
		{ "--tls", "require,match=mx.example" },
		{ "--tls", "a.example=never,match=mx.example" },
		{ "--tls", "a.example=require," },
		{ "--tls", "a.example=require,mx.example" },
		{ "--tls", "a.example=require,match=" },
		{ "--tls", "a.example=require,match=b,,c" },
		{ "--tls", "a.example=require,match=a b" },
		{ "--smarthost", "" },
		{ "--smarthost", "host:0" },
		{ "--smarthost", "[::1" },
		{ "--smarthost", "@host", "--password-file", "f" },
		{ "--smarthost", "ann@host" },
		{ "--smarthost", "host", "--password-file", "f" },
		{ "--password-file", "f" },
		{ "--token-file", "f" },
		{ "--token-command", "/c" },
		{ "--smarthost", "host", "--token-command", "/c" },
		{ "--smarthost", "ann@host", "--password-file", "f",
		    "--token-file", "f" },
		{ "--smarthost", "ann@host", "--token-command", "/c",
		    "--token-file", "f" },
		{ "--auth-mechanisms", "PLAIN" },
		{ "--client-cert", "c" },
		{ "--client-key", "k" },
		{ "--source", "mx.example" },
		{ "--source", "[2001:db8::1]" },
		{ "--source", "192.0.2.1=" },
		{ "--source", "192.0.2.1=a b" },
		{ "--source", "192.0.2.1", "--source", "192.0.2.2" },
		{ "--source", "2001:db8::1", "--source", "2001:db8::2=b.c" },
		{ "--smarthost", "host", "--auth-mechanisms", "PLAIN" },
		{ "--smarthost", "ann@host", "--password-file", "f",
		    "--auth-mechanisms", "XOAUTH2" },
		{ "--smarthost", "ann@host", "--token-file", "f",
		    "--auth-mechanisms", "XOAUTH2,PLAIN" },
		{ "--smarthost", "ann@host", "--token-file", "f",
		    "--auth-mechanisms", "CRAM-MD5" },
		{ "--smarthost", "ann@host", "--token-file", "f",
		    "--auth-mechanisms", " , " },
		{ "--tls-lost", "never" },
		{ "--tls", "require", "--tls", "never" },
		{ "--tls", "a.example=require", "--tls", "A.example=never" },
		{ "--smarthost", "ann@host", "--password-file", "f", "--tls",
		    "never" },
		{ "--retry-min", "10", "--retry-max", "5" },
		{ "--max-recipients", "99" },
		{ "--workers", "0" },
		{ "--queue-segment", "1048575" },
		{ "--min-free", "0" },
		{ "--mta-sts", "yes" },
		{ "--tls-report", "daily" },
		{ "--postmaster", "postmaster" },
		{ "--max-per-user", "x" },
		{ "--greet-delay", "1" },
		{ "--hostname", "not a name" },
		{ "--tls-port", "465" },
		{ "queue" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings s;

		if (settings_words(cases[i], &s) != EX_USAGE)
			fail_msg("%s %s was taken", cases[i][0],
			    cases[i][1] != NULL ? cases[i][1] : "");
		settings_finish(&s);
	}
}

/* RFC 5321, 7.9 */
static void
only_this_host_reaches_loopback(void **state)
{
	static const char *const good[] = { "127.0.0.1", "127.0.0.1:25",
		"127.9.9.9:0", "::1", "[::1]", "[::1]:2525",
		"/run/smtpout/socket" };
	static const char *const bad[] = { "", "0.0.0.0", "0.0.0.0:25",
		"192.0.2.1", "126.255.255.255:25", "128.0.0.1", "::", "[::]:25",
		"2001:db8::1", "[2001:db8::1]:25", "::ffff:127.0.0.1",
		"[127.0.0.1]:25", "127.1", "localhost", "localhost:25",
		"run/socket", "@abstract" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!listen_is_loopback(good[i]))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (listen_is_loopback(bad[i]))
			fail_msg("%s was taken", bad[i]);
}

static void
smarthosts(void **state)
{
	static const struct {
		const char *text, *host, *user;
		unsigned port;
		bool tls_first;
	} cases[] = {
		{ "mx.example", "mx.example", NULL, 25, false },
		{ "mx.example:2525", "mx.example", NULL, 2525, false },
		{ "ann@mx.example", "mx.example", "ann", 587, false },
		{ "ann@b.example@mx.example:26", "mx.example", "ann@b.example",
		    26, false },
		{ "tls://mx.example", "mx.example", NULL, 465, true },
		{ "tls://ann@[2001:db8::1]:26", "2001:db8::1", "ann", 26,
		    true },
		{ "[192.0.2.1]", "192.0.2.1", NULL, 25, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smarthost s;
		char text[64];

		snprintf(text, sizeof(text), "%s", cases[i].text);
		assert_int_equal(sender_options_smarthost(text, &s), 0);
		assert_string_equal(s.host, cases[i].host);
		assert_int_equal(s.port, cases[i].port);
		assert_int_equal(s.tls_first, cases[i].tls_first);
		if (cases[i].user == NULL)
			assert_null(s.user);
		else
			assert_string_equal(s.user, cases[i].user);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(options_reach_the_queue),
		cmocka_unit_test(other_options_reach_their_place),
		cmocka_unit_test(a_login_reaches_the_smarthost),
		cmocka_unit_test(sources_reach_the_client),
		cmocka_unit_test(crs_are_repaired_by_option),
		cmocka_unit_test(mistakes_are_refused),
		cmocka_unit_test(only_this_host_reaches_loopback),
		cmocka_unit_test(smarthosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
