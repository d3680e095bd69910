/* SPDX-License-Identifier: MIT */
/* Many clients: limits, threads, and a lack of descriptors. */
#include <smtpd.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

#define CLIENTS  64
#define MESSAGES 50

/* Count each message by the number that it holds. */
static int
count_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	atomic_int *counts = user;
	char buf[64] = "";
	size_t len = 0;
	ssize_t n;

	(void)s, (void)envelope;
	while (
	    (n = smtpd_body_read(body, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	if (n == 0 && counts != NULL)
		counts[(int)strtol(buf, NULL, 10)]++;
	return 0;
}

static struct smtpd_server *
start(const struct smtpd_settings *settings, atomic_int *counts)
{
	struct smtpd_server *srv = smtpd_server_create(settings);

	assert_non_null(srv);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, count_message, counts);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

/* The code of the first reply to a new client from SOURCE, which stays. */
static int
come(struct peer *p, const struct smtpd_server *srv, const char *source)
{
	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), source), 0);
	return peer_reply(p);
}

static void
test_limits(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_connections = 10,
		.max_per_address = 2,
		.max_per_network = 3,
	};
	/* Who comes, and what he is told: 10 in all at last. */
	static const struct {
		const char *from, *text;
	} table[] = {
		{ "127.0.0.1", "220 mx.example ESMTP\n" },
		{ "127.0.0.1", "220 mx.example ESMTP\n" },
		{ "127.0.0.1",
		    "421 4.7.0 Too many connections from your network\n" },
		{ "127.0.0.2", "220 mx.example ESMTP\n" },
		{ "127.0.0.2",
		    "421 4.7.0 Too many connections from your network\n" },
		{ "127.0.0.3",
		    "421 4.7.0 Too many connections from your network\n" },
		{ "127.0.1.1", "220 mx.example ESMTP\n" },
		{ "127.0.1.2", "220 mx.example ESMTP\n" },
		{ "127.0.1.2", "220 mx.example ESMTP\n" },
		{ "127.0.2.1", "220 mx.example ESMTP\n" },
		{ "127.0.2.2", "220 mx.example ESMTP\n" },
		{ "127.0.2.2", "220 mx.example ESMTP\n" },
		{ "127.0.1.1",
		    "421 4.3.2 Too many connections, try again later\n" },
		{ "127.0.3.1", "220 mx.example ESMTP\n" },
		{ "127.0.4.1",
		    "421 4.3.2 Too many connections, try again later\n" },
	};
	enum {
		COUNT = sizeof(table) / sizeof(table[0])
	};
	struct smtpd_server *srv = start(&settings, NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p[COUNT], again;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		come(&p[i], srv, table[i].from);
		assert_string_equal(p[i].text, table[i].text);
	}
	smtpd_server_count(srv, &c);
	assert_int_equal(c.refused_connections, 5);
	assert_int_equal(c.connections_now, 10);
	assert_int_equal(c.connections, 10);
	peer_close(&p[0]);
	assert_true(
	    peer_get_in(&again, smtpd_server_address(srv, 0), "127.0.0.3"));
	peer_close(&again);
	for (size_t i = 1; i < COUNT; i++)
		peer_close(&p[i]);
	smtpd_server_destroy(srv);
}

/* 20 from an address, 50 from a network, by default. */
static void
test_default_limits(void **state)
{
	enum {
		COUNT = 50
	};
	struct smtpd_server *srv = start(NULL, NULL);
	struct peer p[COUNT], more;
	char source[32];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		snprintf(source, sizeof(source), "127.0.0.%d", 1 + i / 20);
		assert_int_equal(come(&p[i], srv, source), 220);
		if (i % 20 != 19)
			continue;
		assert_int_equal(come(&more, srv, source), 421);
		peer_close(&more);
	}
	assert_int_equal(come(&more, srv, "127.0.0.9"), 421);
	peer_close(&more);
	assert_int_equal(come(&more, srv, "127.0.1.1"), 220);
	peer_close(&more);
	for (int i = 0; i < COUNT; i++)
		peer_close(&p[i]);
	smtpd_server_destroy(srv);
}

/* O3: Who is silent makes room once there are too many, the longest silent
 * first. */
static void
test_silent_make_room(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_connections = 2,
	};
	struct smtpd_server *srv = start(&settings, NULL);
	struct peer silent, later, more;

	(void)state;
	assert_int_equal(come(&silent, srv, NULL), 220);
	peer_wait(1000);
	assert_int_equal(come(&later, srv, NULL), 220);
	assert_int_equal(come(&more, srv, NULL), 421);
	peer_close(&more);
	while (come(&more, srv, NULL) != 220) {
		peer_close(&more);
		peer_wait(500);
	}
	assert_int_equal(peer_reply(&silent), 421);
	assert_string_equal(
	    silent.text, "421 4.3.2 Too busy, try again later\n");
	assert_int_equal(peer_say(&later, "NOOP"), 250);
	assert_int_equal(peer_say(&more, "NOOP"), 250);
	peer_close(&silent);
	peer_close(&later);
	peer_close(&more);
	smtpd_server_destroy(srv);
}

/* Where nine tenths are taken, those who are silent for longer than may be then
 * make room, until fewer are. */
static void
test_silent_leave_a_crowd(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_connections = 40,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
		.crowded_idle_timeout_ms = 1000,
	};
	struct smtpd_server *srv = start(&settings, NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer silent[36], more;

	(void)state;
	for (int i = 0; i < 36; i++) {
		assert_int_equal(come(&silent[i], srv, NULL), 220);
		if (i == 0)
			peer_wait(1000);
	}
	/* As many threads may be there for other reasons. */
	do {
		peer_wait(1500);
		assert_int_equal(smtpd_server_count(srv, &c), 0);
	} while (c.threads_now > 20);
	assert_int_equal(come(&more, srv, "127.0.0.2"), 220);
	assert_int_equal(peer_reply(&silent[0]), 421);
	assert_string_equal(
	    silent[0].text, "421 4.3.2 Too busy, try again later\n");
	peer_close(&silent[0]);
	for (int i = 1; i < 36; i++) {
		assert_int_equal(peer_say(&silent[i], "NOOP"), 250);
		peer_close(&silent[i]);
	}
	peer_close(&more);
	smtpd_server_destroy(srv);
}

/* The code of the reply to the last of up to 1,000 recipients that P names, all
 * in one transaction, until one is refused. */
static int
name_many(struct peer *p)
{
	int code = peer_say(p, "MAIL FROM:<a@b.example>");

	for (int i = 0; i < 1000 && code == 250; i++)
		code = peer_say(p, "RCPT TO:<somebody@somewhere.example>");
	return code;
}

/* Many recipients take memory, of which there is so much for all. */
static void
test_memory_is_shared(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_memory = 65536,
	};
	struct smtpd_server *srv = start(&settings, NULL);
	struct peer greedy, modest;

	(void)state;
	assert_int_equal(come(&greedy, srv, NULL), 220);
	assert_int_equal(peer_say(&greedy, "EHLO test.example"), 250);
	assert_int_equal(name_many(&greedy), 452);
	assert_non_null(strstr(greedy.text, "4.3.1"));
	/* A few always fit. */
	assert_int_equal(come(&modest, srv, NULL), 220);
	assert_int_equal(peer_say(&modest, "EHLO test.example"), 250);
	assert_int_equal(peer_deliver(&modest, "a@b.example", "0"), 250);
	assert_int_equal(name_many(&modest), 452);
	assert_int_equal(peer_say(&greedy, "RSET"), 250);
	assert_int_equal(
	    peer_say(&modest, "RCPT TO:<somebody@somewhere.example>"), 250);
	peer_close(&greedy);
	peer_close(&modest);
	smtpd_server_destroy(srv);
}

/*
 * A thousand one after the other need no more threads than a few.  On a busy
 * machine a thread may still be on its way back when the next client comes.
 */
static void
test_threads_are_reused(void **state)
{
	struct smtpd_server *srv = start(NULL, NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	uint64_t most = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct peer p;

		assert_int_equal(come(&p, srv, NULL), 220);
		assert_int_equal(peer_say(&p, "QUIT"), 221);
		assert_int_equal(peer_reply(&p), 0);
		peer_close(&p);
		smtpd_server_count(srv, &c);
		if (c.threads_now > most)
			most = c.threads_now;
	}
	assert_in_range(most, 1, 50);
	assert_int_equal(c.connections, 1000);
	smtpd_server_destroy(srv);
}

/* Threads that nobody needs end after ten seconds, but for the one that
 * waits. */
static void
test_idle_threads_end(void **state)
{
	enum {
		COUNT = 15
	};
	struct smtpd_server *srv = start(NULL, NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(come(&p[i], srv, NULL), 220);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.threads_now, COUNT + 1);
	for (int i = 0; i < COUNT; i++)
		peer_close(&p[i]);
	for (int i = 0; c.threads_now > 1 && i < 300; i++) {
		peer_wait(100);
		smtpd_server_count(srv, &c);
	}
	assert_int_equal(c.threads_now, 1);
	assert_int_equal(come(&p[0], srv, NULL), 220);
	peer_close(&p[0]);
	smtpd_server_destroy(srv);
}

struct client {
	const char *address;
	int first; /* the number of its first message */
	int failed;
	pthread_t thread;
};

/* On one connection, or on a new one for each message. */
static void *
send_messages(void *arg)
{
	struct client *c = arg;
	bool kept = c->first / MESSAGES % 2 == 0;
	struct peer p = { .fd = -1 };

	for (int i = 0; i < MESSAGES; i++) {
		char body[32];

		snprintf(body, sizeof(body), "%d", c->first + i);
		if (p.fd < 0 &&
		    (peer_open(&p, c->address, NULL) != 0 || !peer_hello(&p)))
			c->failed++;
		if (peer_deliver(&p, "b@example.org", body) != 250)
			c->failed++;
		if (!kept)
			peer_close(&p);
	}
	peer_close(&p);
	return NULL;
}

static void
test_many_clients(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
	};
	static atomic_int counts[CLIENTS * MESSAGES];
	struct client clients[CLIENTS];
	struct smtpd_server *srv = start(&settings, counts);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };

	(void)state;
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){
			.address = smtpd_server_address(srv, 0),
			.first = i * MESSAGES,
		};
		assert_int_equal(pthread_create(&clients[i].thread, NULL,
				     send_messages, &clients[i]),
		    0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		assert_int_equal(clients[i].failed, 0);
	}
	for (int i = 0; i < CLIENTS * MESSAGES; i++)
		assert_int_equal(counts[i], 1);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.messages, CLIENTS * MESSAGES);
	assert_int_equal(c.recipients, CLIENTS * MESSAGES);
	assert_int_equal(c.connections, CLIENTS / 2 + CLIENTS / 2 * MESSAGES);
	smtpd_server_destroy(srv);
}

/* R6: Without descriptors clients are told so, and when there are some again
 * they are served. */
static void
test_no_descriptors(void **state)
{
	enum {
		COUNT = 3
	};
	struct smtpd_server *srv = start(NULL, NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p[COUNT];
	struct smtpd_sockaddr a;
	struct rlimit full, low;
	int fd;

	(void)state;
	assert_int_equal(
	    smtpd__socket_parse(smtpd_server_address(srv, 0), &a), 0);
	for (int i = 0; i < COUNT; i++)
		peer_adopt(&p[i], socket(AF_INET, SOCK_STREAM, 0));
	fd = dup(0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &full), 0);
	low = full;
	low.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
		    connect(p[i].fd, (struct sockaddr *)&a.addr, a.len), 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(peer_reply(&p[i]), 421);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
	for (int i = 0; i < COUNT; i++)
		peer_close(&p[i]);
	smtpd_server_count(srv, &c);
	assert_in_range(c.errors, COUNT, 20);
	assert_int_equal(c.connections, 0);
	assert_int_equal(c.refused_connections, COUNT);
	assert_int_equal(
	    peer_open(&p[0], smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p[0]));
	peer_close(&p[0]);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_default_limits),
		cmocka_unit_test(test_silent_make_room),
		cmocka_unit_test(test_silent_leave_a_crowd),
		cmocka_unit_test(test_memory_is_shared),
		cmocka_unit_test(test_threads_are_reused),
		cmocka_unit_test(test_idle_threads_end),
		cmocka_unit_test(test_many_clients),
		cmocka_unit_test(test_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
