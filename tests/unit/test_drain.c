/* SPDX-License-Identifier: MIT */
/* How a server stops: what it finishes, what it cuts off. */
#include <smtpd.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* Longer than any test may take. */
#define LONG_MS 20000

/* What the events told. */
struct seen {
	atomic_int connects, ends, disconnects, drained;
};

static int
note_connect(struct smtpd_session *s, void *user)
{
	struct seen *seen = user;

	(void)s;
	seen->connects++;
	return 0;
}

static void
note_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	struct seen *seen = user;

	(void)s, (void)envelope, (void)how, (void)code;
	seen->ends++;
}

static void
note_disconnect(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	struct seen *seen = user;

	(void)s;
	seen->disconnects++;
	if (why == SMTPD_CLOSE_DRAINED)
		seen->drained++;
}

static struct smtpd_server *
start(struct seen *seen, const char *address)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.flags = SMTPD_FLAG_CHUNKING,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
	};
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = note_connect,
		.transaction_end = note_end,
		.disconnect = note_disconnect,
		.user = seen,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	smtpd_server_add_events(srv, &events);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_listen(srv, address, 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

static void
open_peer(struct peer *p, const struct smtpd_server *srv)
{
	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(p));
}

/* A drain on a thread of its own. */
struct drain {
	struct smtpd_server *srv;
	uint32_t timeout_ms;
	int result;
	pthread_t thread;
};

static void *
run_drain(void *arg)
{
	struct drain *d = arg;

	d->result = smtpd_server_drain(d->srv, d->timeout_ms);
	return NULL;
}

static void
begin_drain(struct drain *d, struct smtpd_server *srv, uint32_t timeout_ms)
{
	*d = (struct drain){ .srv = srv, .timeout_ms = timeout_ms };
	assert_int_equal(pthread_create(&d->thread, NULL, run_drain, d), 0);
}

static int
end_drain(struct drain *d)
{
	pthread_join(d->thread, NULL);
	return d->result;
}

static long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Clients that wait, or whose next command has not begun, are told. */
static void
test_idle_sessions(void **state)
{
	enum {
		COUNT = 5
	};
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct peer p[COUNT];
	struct drain d;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		open_peer(&p[i], srv);
	assert_int_equal(peer_say(&p[1], "MAIL FROM:<>"), 250);
	assert_int_equal(peer_deliver(&p[2], "b@example.org", "x"), 250);
	begin_drain(&d, srv, LONG_MS);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(peer_reply(&p[i]), 421);
		assert_string_equal(p[i].text,
		    "421 4.3.2 Server is shutting down, try again later\n");
		assert_int_equal(peer_reply(&p[i]), 0);
		peer_close(&p[i]);
	}
	assert_int_equal(end_drain(&d), 0);
	assert_int_equal(seen.connects, COUNT);
	assert_int_equal(seen.drained, COUNT);
	assert_int_equal(seen.ends, 2);
	smtpd_server_destroy(srv);
	assert_int_equal(seen.disconnects, COUNT);
}

/* A message that has begun is worth waiting for, and what it is told holds. */
static void
test_message_finishes(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct peer busy, idle;
	struct drain d;

	(void)state;
	open_peer(&busy, srv);
	open_peer(&idle, srv);
	assert_true(peer_begin_message(&busy));
	peer_send(&busy, "hello\r\n");
	begin_drain(&d, srv, LONG_MS);
	assert_int_equal(peer_reply(&idle), 421);
	peer_close(&idle);
	assert_int_equal(peer_say(&busy, "world\r\n."), 250);
	assert_int_equal(peer_reply(&busy), 421);
	assert_int_equal(peer_reply(&busy), 0);
	peer_close(&busy);
	assert_int_equal(end_drain(&d), 0);
	assert_int_equal(seen.drained, 2);
	smtpd_server_destroy(srv);
}

/* RFC 3030, 2: That holds for one that is between two of its chunks. */
static void
test_message_in_chunks_finishes(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct peer busy, idle;
	struct drain d;

	(void)state;
	open_peer(&busy, srv);
	open_peer(&idle, srv);
	assert_int_equal(peer_say(&busy, "MAIL FROM:<a@example.com>"), 250);
	assert_int_equal(peer_say(&busy, "RCPT TO:<b@example.org>"), 250);
	assert_int_equal(peer_say(&busy, "BDAT 7\r\nhello"), 250);
	begin_drain(&d, srv, LONG_MS);
	assert_int_equal(peer_reply(&idle), 421);
	peer_close(&idle);
	assert_int_equal(peer_say(&busy, "BDAT 7 LAST\r\nworld"), 250);
	assert_int_equal(peer_reply(&busy), 421);
	assert_int_equal(peer_reply(&busy), 0);
	peer_close(&busy);
	assert_int_equal(end_drain(&d), 0);
	smtpd_server_destroy(srv);
}

/* But not for ever. */
static void
test_message_cut_off(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p, idle;
	long begin;

	(void)state;
	open_peer(&p, srv);
	open_peer(&idle, srv);
	assert_true(peer_begin_message(&p));
	peer_send(&p, "hello\r\n");
	begin = now_ms();
	assert_int_equal(smtpd_server_drain(srv, 300), 1);
	assert_in_range(now_ms() - begin, 300, LONG_MS / 2);
	while (peer_reply(&p) > 0)
		continue;
	peer_close(&p);
	peer_close(&idle);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.messages, 0);
	assert_int_equal(c.connections_now, 0);
	assert_int_equal(c.threads_now, 0);
	assert_int_equal(seen.ends, 1);
	assert_int_equal(seen.drained, 2);
	smtpd_server_destroy(srv);
}

/* destroy() alone stops at once. */
static void
test_destroy_cuts_off(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct peer p;

	(void)state;
	open_peer(&p, srv);
	assert_true(peer_begin_message(&p));
	smtpd_server_destroy(srv);
	while (peer_reply(&p) > 0)
		continue;
	peer_close(&p);
	assert_int_equal(seen.ends, 1);
	assert_int_equal(seen.disconnects, 1);
}

/* A session on the caller's own thread and pipes is stopped as well. */
static void *
serve_pipe(void *arg)
{
	int *fds = ((int **)arg)[1];

	smtpd_server_serve(((struct smtpd_server **)arg)[0], fds[0], fds[3], 0);
	return NULL;
}

static void
test_served_on_pipes(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	int fds[4];
	void *arg[2] = { srv, fds };
	char out[256];
	pthread_t thread;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(fds + 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_pipe, arg), 0);
	assert_true(read(fds[2], out, sizeof(out)) > 0);
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	assert_true(read(fds[2], out, sizeof(out)) > 0);
	assert_memory_equal(out, "421 4.3.2 ", 10);
	pthread_join(thread, NULL);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	smtpd_server_destroy(srv);
}

/* Whoever comes later is refused by the system, and waits for nothing. */
static void
test_nobody_after(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	char path[] = "/tmp/test_drain.XXXXXX", sock[64];
	struct smtpd_server *other;
	struct peer p;

	(void)state;
	assert_int_equal(smtpd_server_drain(srv, 0), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), -1);
	assert_int_equal(errno, ECONNREFUSED);
	smtpd_server_destroy(srv);

	/* A successor may take a path before the first is destroyed. */
	assert_non_null(mkdtemp(path));
	snprintf(sock, sizeof(sock), "%s/sock", path);
	srv = start(&seen, sock);
	assert_int_equal(smtpd_server_drain(srv, 0), 0);
	other = start(&seen, sock);
	smtpd_server_destroy(srv);
	assert_int_equal(peer_open(&p, sock, NULL), 0);
	peer_close(&p);
	smtpd_server_destroy(other);
	assert_int_equal(rmdir(path), 0);
}

static void
test_again_and_never_started(void **state)
{
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct smtpd_server *never = smtpd_server_create(NULL);

	(void)state;
	assert_int_equal(smtpd_server_drain(srv, SMTPD_NO_TIMEOUT), 0);
	assert_int_equal(smtpd_server_drain(srv, SMTPD_NO_TIMEOUT), 0);
	smtpd_server_destroy(srv);
	assert_int_equal(smtpd_server_drain(never, 1000), 0);
	smtpd_server_destroy(never);
}

/* Clients that come all the time, until nobody is there. */
struct storm {
	const char *address;
	atomic_int delivered, told, cut;
};

static void *
come_again(void *arg)
{
	struct storm *storm = arg;
	struct peer p;

	while (peer_open(&p, storm->address, NULL) == 0) {
		int code;

		if (peer_hello(&p) &&
		    peer_deliver(&p, "b@example.org", "x") == 250)
			storm->delivered++;
		code = peer_say(&p, "NOOP");
		if (code == 421)
			storm->told++;
		else if (code <= 0)
			storm->cut++;
		peer_close(&p);
	}
	return NULL;
}

static void
test_in_a_storm(void **state)
{
	enum {
		COUNT = 8
	};
	struct seen seen = { 0 };
	struct smtpd_server *srv = start(&seen, "127.0.0.1:0");
	struct storm storm = { .address = smtpd_server_address(srv, 0) };
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	pthread_t threads[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, come_again, &storm), 0);
	while (storm.delivered < 100)
		peer_wait(1);
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.connections_now, 0);
	assert_int_equal(c.threads_now, 0);
	assert_int_equal(c.messages, storm.delivered);
	assert_int_equal(seen.connects, seen.disconnects);
	assert_int_equal(seen.connects, c.connections);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_sessions),
		cmocka_unit_test(test_message_finishes),
		cmocka_unit_test(test_message_in_chunks_finishes),
		cmocka_unit_test(test_message_cut_off),
		cmocka_unit_test(test_destroy_cuts_off),
		cmocka_unit_test(test_served_on_pipes),
		cmocka_unit_test(test_nobody_after),
		cmocka_unit_test(test_again_and_never_started),
		cmocka_unit_test(test_in_a_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
