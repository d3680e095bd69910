/* SPDX-License-Identifier: MIT */
/* Replies that the client does not take: over each kind of descriptor. */
#include <smtpd.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_callbacks.h"

#include "test.h"

/* So many recipients in one write, and more replies than any buffer holds. */
#define RCPTS 3000

/* Answer each recipient with its number, in a long line. */
static int
number_rcpt(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	atomic_int *n = user;

	(void)command;
	return smtpd_reply(
	    s, 250, "2.1.5", "%06d %0450d", atomic_fetch_add(n, 1) + 1, 0);
}

/* A session over IN and OUT on a thread of its own, and the client's ends. */
struct served {
	struct smtpd_server *srv;
	atomic_int rcpts;
	int in, out;
	int to, from;
	pthread_t thread;
};

static void *
serve(void *arg)
{
	struct served *v = arg;

	assert_int_equal(smtpd_server_serve(v->srv, v->in, v->out, 0), 0);
	if (v->out != v->in)
		close(v->out);
	close(v->in);
	return NULL;
}

enum ways {
	ONE_SOCKET,
	ONE_SOCKET_TWICE, /* as inetd hands it over */
	TWO_PIPES,
};

static void
connect_ends(struct served *v, enum ways ways)
{
	int up[2], down[2];

	if (ways == TWO_PIPES) {
		assert_int_equal(pipe(up), 0);
		assert_int_equal(pipe(down), 0);
		v->in = up[0];
		v->to = up[1];
		v->from = down[0];
		v->out = down[1];
		return;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, up), 0);
	v->in = v->out = up[0];
	if (ways == ONE_SOCKET_TWICE)
		v->out = dup(up[0]);
	v->to = v->from = up[1];
}

/* Begin a session in which many replies wait for a client that takes none. */
static void
begin_session(struct served *v, enum ways ways, uint32_t write_timeout_ms)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_recipients = RCPTS + 1,
		.write_timeout_ms = write_timeout_ms,
	};
	static char group[RCPTS * 24];
	size_t len;

	*v = (struct served){ .srv = smtpd_server_create(&settings) };
	assert_non_null(v->srv);
	assert_int_equal(
	    smtpd_server_add_handler(v->srv, "RCPT", number_rcpt, &v->rcpts),
	    0);
	assert_int_equal(
	    smtpd_server_set_deliver(v->srv, callback_take_unread, NULL), 0);
	connect_ends(v, ways);
	assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
	assert_true(read(v->from, group, 512) > 0);
	assert_int_equal(write(v->to, "EHLO a.b\r\n", 10), 10);
	assert_true(read(v->from, group, 512) > 0);
	len = (size_t)snprintf(group, sizeof(group), "MAIL FROM:<a@b.c>\r\n");
	for (int i = 0; i < RCPTS; i++)
		len += (size_t)snprintf(
		    group + len, sizeof(group) - len, "RCPT TO:<%d@b>\r\n", i);
	assert_int_equal(write(v->to, group, len), len);
}

static void
end_session(struct served *v)
{
	if (v->to != v->from)
		close(v->to);
	close(v->from);
	smtpd_server_destroy(v->srv);
}

/* R8: RFC 5321, 4.2: The replies that come are those to the first commands,
 * without a hole, and then the connection ends. */
static void
no_reply_vanishes(enum ways ways)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct served v;
	char line[1024];
	int want = 1, number;
	FILE *from;

	begin_session(&v, ways, 300);
	pthread_join(v.thread, NULL);
	from = fdopen(dup(v.from), "r");
	while (fgets(line, sizeof(line), from) != NULL) {
		if (sscanf(line, "250 2.1.5 %d", &number) != 1)
			continue;
		assert_int_equal(number, want);
		want++;
	}
	fclose(from);
	assert_in_range(want, 2, RCPTS);
	smtpd_server_count(v.srv, &c);
	assert_int_equal(c.timeouts, 1);
	end_session(&v);
}

/* R9: The time for a reply has an end, whatever the descriptor is. */
static void
a_reply_that_is_not_taken_ends_the_session(void **state)
{
	(void)state;
	no_reply_vanishes(ONE_SOCKET);
	no_reply_vanishes(ONE_SOCKET_TWICE);
	no_reply_vanishes(TWO_PIPES);
}

/* Wait until no reply fits any more. */
static void
wait_until_blocked(struct served *v)
{
	int before;

	do {
		before = v->rcpts;
		poll(NULL, 0, 300);
	} while (before == 0 || before != v->rcpts);
}

/* R9: drain() ends a session that waits to write. */
static void
a_drain_ends_the_wait_for_a_client_that_reads_nothing(void **state)
{
	(void)state;
	for (enum ways ways = ONE_SOCKET; ways <= TWO_PIPES; ways++) {
		struct served v;

		begin_session(&v, ways, SMTPD_NO_TIMEOUT);
		wait_until_blocked(&v);
		assert_int_equal(smtpd_server_drain(v.srv, 300), 1);
		pthread_join(v.thread, NULL);
		end_session(&v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_that_is_not_taken_ends_the_session),
		cmocka_unit_test(
		    a_drain_ends_the_wait_for_a_client_that_reads_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
