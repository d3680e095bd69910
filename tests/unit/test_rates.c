/* SPDX-License-Identifier: MIT */
/* Rates by time that the test makes, and of connections to a server. */
#include "server/rates.h"

#include <smtpd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

static const struct smtpd_settings none = {
	SMTPD_SETTINGS_INIT,
	.connect_rate_per_address = SMTPD_NO_LIMIT,
	.connect_rate_per_network = SMTPD_NO_LIMIT,
	.rcpt_rate_per_address = SMTPD_NO_LIMIT,
	.rcpt_rate_per_network = SMTPD_NO_LIMIT,
	.auth_failure_rate_per_address = SMTPD_NO_LIMIT,
	.auth_failure_rate_per_network = SMTPD_NO_LIMIT,
	.connect_rate_ms = 1000,
	.rcpt_rate_ms = 1000,
	.auth_failure_rate_ms = 1000,
};

static bool
admits(struct smtpd_rates *r, const char *host, uint64_t ms)
{
	struct smtpd_sockaddr a;

	assert_int_equal(smtpd__socket_parse_host(host, 25, &a), 0);
	return smtpd__rates_admit(r, SMTPD_RATE_CONNECTIONS, &a, ms);
}

/* How many of a hundred by HOST are admitted at MS. */
static int
count_admitted(struct smtpd_rates *r, const char *host, uint64_t ms)
{
	int n = 0;

	for (int i = 0; i < 100; i++)
		n += admits(r, host, ms);
	return n;
}

static void
without_limits_all_are_admitted(void **state)
{
	struct smtpd_rates r;

	(void)state;
	assert_int_equal(smtpd__rates_begin(&r, &none), 0);
	assert_null(r.buckets);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 1), 100);
	smtpd__rates_finish(&r);
}

/* So many at once, and so many more, evenly, in each window; those who are
 * refused lose nothing by that. */
static void
a_bucket_fills_and_runs_out(void **state)
{
	struct smtpd_settings settings = none;
	struct smtpd_rates r;

	(void)state;
	settings.connect_rate_per_address = 10;
	assert_int_equal(smtpd__rates_begin(&r, &settings), 0);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 5000), 10);
	assert_int_equal(count_admitted(&r, "192.0.2.2", 5000), 10);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 5099), 0);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 5100), 1);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 5400), 3);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 99000), 10);
	smtpd__rates_finish(&r);
}

/* RFC 5321, 7.8: A network has a rate beside those of its addresses; where one
 * refuses, the other one counts nothing. */
static void
networks_have_rates(void **state)
{
	struct smtpd_settings settings = none;
	struct smtpd_rates r;

	(void)state;
	settings.connect_rate_per_address = 2;
	settings.connect_rate_per_network = 5;
	assert_int_equal(smtpd__rates_begin(&r, &settings), 0);
	assert_int_equal(count_admitted(&r, "192.0.2.1", 1), 2);
	assert_int_equal(count_admitted(&r, "192.0.2.2", 1), 2);
	assert_int_equal(count_admitted(&r, "192.0.2.3", 1), 1);
	assert_int_equal(count_admitted(&r, "192.0.2.4", 1), 0);
	assert_int_equal(count_admitted(&r, "192.0.3.1", 1), 2);
	assert_int_equal(count_admitted(&r, "2001:db8::1", 1), 2);
	assert_int_equal(count_admitted(&r, "2001:db8::2", 1), 2);
	assert_int_equal(count_admitted(&r, "2001:db8::3", 1), 1);
	assert_int_equal(count_admitted(&r, "2001:db8:0:1::1", 1), 2);
	smtpd__rates_finish(&r);
}

static void
a_look_counts_nothing(void **state)
{
	struct smtpd_settings settings = none;
	struct smtpd_sockaddr a;
	struct smtpd_rates r;

	(void)state;
	settings.auth_failure_rate_per_network = 1;
	assert_int_equal(smtpd__rates_begin(&r, &settings), 0);
	assert_true(smtpd__rates_limit(&r, SMTPD_RATE_AUTH_FAILURES));
	assert_false(smtpd__rates_limit(&r, SMTPD_RATE_CONNECTIONS));
	assert_int_equal(smtpd__socket_parse_host("192.0.2.1", 25, &a), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    smtpd__rates_has_room(&r, SMTPD_RATE_AUTH_FAILURES, &a, 1),
		    i < 2);
		if (i > 0)
			smtpd__rates_admit(&r, SMTPD_RATE_AUTH_FAILURES, &a, 1);
	}
	smtpd__rates_finish(&r);
}

static void
kinds_are_counted_apart(void **state)
{
	struct smtpd_settings settings = none;
	struct smtpd_sockaddr a;
	struct smtpd_rates r;

	(void)state;
	settings.connect_rate_per_address = 1;
	settings.rcpt_rate_per_address = 1;
	assert_int_equal(smtpd__rates_begin(&r, &settings), 0);
	assert_int_equal(smtpd__socket_parse_host("192.0.2.1", 25, &a), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    smtpd__rates_admit(&r, SMTPD_RATE_CONNECTIONS, &a, 1),
		    i == 0);
		assert_int_equal(
		    smtpd__rates_admit(&r, SMTPD_RATE_RCPTS, &a, 1), i == 0);
	}
	smtpd__rates_finish(&r);
}

/* Any number of addresses: none is refused for others, and one that comes again
 * and again is refused all the same. */
static void
many_addresses_harm_nobody(void **state)
{
	enum {
		COUNT = 100000
	};
	struct smtpd_settings settings = none;
	struct smtpd_rates r;
	int busy = 0;
	char host[32];

	(void)state;
	settings.connect_rate_per_address = 10;
	settings.connect_rate_ms = 60000;
	assert_int_equal(smtpd__rates_begin(&r, &settings), 0);
	for (int i = 0; i < COUNT; i++) {
		snprintf(host, sizeof(host), "10.%d.%d.%d", i / 65536,
		    i / 256 % 256, i % 256);
		assert_true(admits(&r, host, 1000));
		if (i % 100 == 0)
			busy += admits(&r, "192.0.2.1", 1000);
	}
	assert_in_range(busy, 10, 20);
	smtpd__rates_finish(&r);
}

/* What the log said of refused connections. */
struct noted {
	int lines, summed;
};

static void
note_line(enum smtpd_log_level level, const char *text, void *user)
{
	struct noted *n = user;

	(void)level;
	if (strstr(text, "reason=\"too many new connections from it\"") == NULL)
		return;
	if (strncmp(text, "refused connections=", 20) == 0)
		n->summed += (int)strtol(text + 20, NULL, 10);
	else
		n->lines++;
}

static void
refusals_are_told_counted_and_summed_up(void **state)
{
	struct noted n = { 0 };
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.connect_rate_per_address = 3,
		.connect_rate_ms = 3600000,
		.log = note_line,
		.log_user = &n,
	};
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct peer p;

	(void)state;
	assert_non_null(srv);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(
		    peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
		assert_int_equal(peer_reply(&p), i < 3 ? 220 : 421);
		if (i >= 3)
			assert_string_equal(p.text,
			    "421 4.7.0 Too many new connections from your "
			    "network, try again later\n");
		peer_close(&p);
	}
	smtpd_server_drain(srv, 1000);
	assert_int_equal(smtpd_server_count(srv, &c), 0);
	assert_int_equal(c.refused_connections, 47);
	assert_int_equal(n.lines + n.summed, 47);
	assert_in_range(n.lines, 1, 46);
	smtpd_server_destroy(srv);
}

/* A filter may say by XCLIENT twice for whom it speaks. */
static void
a_client_that_is_named_twice_connected_once(void **state)
{
	static const struct {
		const char *line;
		int code;
	} cases[] = {
		{ "XCLIENT ADDR=192.0.2.1", 220 },
		{ "XCLIENT ADDR=192.0.2.1 PORT=25", 220 },
		{ "XCLIENT HELO=client.example", 220 },
		{ "XCLIENT ADDR=192.0.2.2", 220 },
		{ "XCLIENT ADDR=192.0.2.1", 421 },
	};
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.connect_rate_per_address = 1,
		.connect_rate_ms = 3600000,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct peer p;

	(void)state;
	assert_non_null(srv);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	assert_int_equal(smtpd_server_add_xclient(srv, "127.0.0.0/8"), 0);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_int_equal(peer_reply(&p), 220);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(peer_say(&p, cases[i].line), cases[i].code);
	peer_close(&p);
	smtpd_server_drain(srv, 1000);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_all_are_admitted),
		cmocka_unit_test(a_bucket_fills_and_runs_out),
		cmocka_unit_test(networks_have_rates),
		cmocka_unit_test(a_look_counts_nothing),
		cmocka_unit_test(kinds_are_counted_apart),
		cmocka_unit_test(many_addresses_harm_nobody),
		cmocka_unit_test(refusals_are_told_counted_and_summed_up),
		cmocka_unit_test(a_client_that_is_named_twice_connected_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
