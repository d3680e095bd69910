/* SPDX-License-Identifier: MIT */
/* Connections that get no session. */
#include <smtpd.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* What the log said of refused connections. */
struct noted {
	int lines;   /* each of one connection */
	long summed; /* in lines of several */
	int errors;  /* lines of a lack of our own */
};

static void
note_line(enum smtpd_log_level level, const char *text, void *user)
{
	static const char sum[] = "refused connections=";
	struct noted *n = user;

	if (level == SMTPD_LOG_ERROR)
		n->errors += strstr(text, "no descriptors are left") != NULL;
	else if (strncmp(text, sum, strlen(sum)) == 0)
		n->summed += strtol(text + strlen(sum), NULL, 10);
	else if (strncmp(text, "refused peer=", 13) == 0)
		n->lines++;
}

static struct smtpd_server *
start(struct noted *n)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_per_address = 1,
		.log = note_line,
		.log_user = n,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

/* R5: Connections over a limit have a line a second, and a sum. */
static void
refused_connections_are_summed_up(void **state)
{
	enum {
		COUNT = 200
	};
	struct noted n = { 0 };
	struct smtpd_server *srv = start(&n);
	const char *address = smtpd_server_address(srv, 0);
	struct peer first, p;

	(void)state;
	assert_int_equal(peer_open(&first, address, NULL), 0);
	assert_true(peer_hello(&first));
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(peer_open(&p, address, NULL), 0);
		assert_int_equal(peer_reply(&p), 421);
		peer_close(&p);
	}
	peer_close(&first);
	smtpd_server_destroy(srv);
	assert_int_equal(n.lines + n.summed, COUNT);
	assert_in_range(n.lines, 1, COUNT / 2);
}

/* R6: A lack of our own is logged beside what clients are refused for in the
 * same second. */
static void
a_lack_is_logged_at_once(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = start(&n);
	const char *address = smtpd_server_address(srv, 0);
	struct peer first, second, third;
	struct rlimit full, low;
	struct smtpd_sockaddr a;

	(void)state;
	assert_int_equal(smtpd__socket_parse(address, &a), 0);
	assert_int_equal(peer_open(&first, address, NULL), 0);
	assert_true(peer_hello(&first));
	peer_adopt(&second, socket(AF_INET, SOCK_STREAM, 0));
	peer_adopt(&third, socket(AF_INET, SOCK_STREAM, 0));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &full), 0);
	low = full;
	low.rlim_cur = (rlim_t)dup(0);
	close((int)low.rlim_cur);
	assert_int_equal(
	    connect(second.fd, (struct sockaddr *)&a.addr, a.len), 0);
	assert_int_equal(peer_reply(&second), 421);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(
	    connect(third.fd, (struct sockaddr *)&a.addr, a.len), 0);
	assert_int_equal(peer_reply(&third), 421);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
	peer_close(&first);
	peer_close(&second);
	peer_close(&third);
	smtpd_server_destroy(srv);
	assert_int_equal(n.lines, 1);
	assert_int_equal(n.errors, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_connections_are_summed_up),
		cmocka_unit_test(a_lack_is_logged_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
