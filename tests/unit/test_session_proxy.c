/* SPDX-License-Identifier: MIT */
/* Connections that come by a proxy; what its header may be, conversations
 * show. */
#include <smtpd.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* What the connect event and the log told last. */
struct noted {
	char peer[80], proxy[80];
	int port;
	int lines, summed; /* of the log, about refused connections */
};

static int
note_connect(struct smtpd_session *s, void *user)
{
	const char *proxy = smtpd_session_proxy(s);
	struct noted *n = user;
	socklen_t len;
	const struct sockaddr_in *in =
	    (const void *)smtpd_session_sockaddr(s, &len);

	snprintf(n->peer, sizeof(n->peer), "%s", smtpd_session_peer(s));
	snprintf(
	    n->proxy, sizeof(n->proxy), "%s", proxy != NULL ? proxy : "none");
	n->port = ntohs(in->sin_port);
	return 0;
}

static void
note_line(enum smtpd_log_level level, const char *text, void *user)
{
	struct noted *n = user;

	(void)level;
	if (strncmp(text, "refused peer=192.0.2.1 ", 23) == 0)
		n->lines++;
	if (strncmp(text, "refused connections=", 20) == 0)
		n->summed += (int)strtol(text + 20, NULL, 10);
}

static struct smtpd_server *
start(struct noted *n, const char *proxies, unsigned flags)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_connections = 30,
		.max_per_address = 2,
		.max_per_network = 3,
		.log = note_line,
		.log_user = n,
	};
	const struct smtpd_events events = { SMTPD_EVENTS_INIT,
		.connect = note_connect, .user = n };
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	memset(n, 0, sizeof(*n));
	smtpd_server_add_events(srv, &events);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_add_proxy(srv, proxies), 0);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", flags), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

/* Connect as a proxy for CLIENT. */
static void
open_for(struct peer *p, const struct smtpd_server *srv, const char *client)
{
	char header[128];

	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), NULL), 0);
	snprintf(header, sizeof(header),
	    "PROXY TCP4 %s 198.51.100.2 4660 25\r\n", client);
	peer_send(p, header);
}

static void
the_client_is_the_peer(void **state)
{
	struct noted n;
	struct smtpd_server *srv = start(&n, "127.0.0.0/8", 0);
	struct peer p;

	(void)state;
	open_for(&p, srv, "192.0.2.1");
	assert_true(peer_hello(&p));
	assert_string_equal(n.peer, "192.0.2.1");
	assert_string_equal(n.proxy, "127.0.0.1");
	assert_int_equal(n.port, 4660);
	assert_int_equal(peer_deliver(&p, "a@example.org", "Hello"), 250);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* A proxy may have more connections than an address may, and each client as
 * many as if it came itself. */
static void
limits_are_those_of_the_client(void **state)
{
	struct noted n;
	struct smtpd_server *srv = start(&n, "127.0.0.1", 0);
	struct peer p[10], more;
	char client[32];

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(client, sizeof(client), "192.0.%d.1", 2 + i / 2);
		open_for(&p[i], srv, client);
		assert_true(peer_hello(&p[i]));
	}
	open_for(&more, srv, "192.0.2.1");
	assert_int_equal(peer_reply(&more), 421);
	assert_string_equal(
	    more.text, "421 4.7.0 Too many connections from your network\n");
	assert_int_equal(peer_reply(&more), 0);
	peer_close(&more);
	open_for(&more, srv, "192.0.2.2");
	assert_true(peer_hello(&more));
	peer_close(&more);
	assert_int_equal(peer_say(&p[0], "QUIT"), 221);
	assert_int_equal(peer_reply(&p[0]), 0);
	peer_close(&p[0]);
	for (int i = 1; i < 10; i++)
		peer_close(&p[i]);
	smtpd_server_destroy(srv);
	assert_int_equal(n.lines, 1);
}

/* A place that was given back once is not given back twice. */
static void
the_refused_leave_all_places(void **state)
{
	struct noted n;
	struct smtpd_server *srv = start(&n, "127.0.0.1", 0);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer first, second, more;

	(void)state;
	open_for(&first, srv, "192.0.2.1");
	assert_true(peer_hello(&first));
	open_for(&second, srv, "192.0.2.1");
	assert_true(peer_hello(&second));
	for (int i = 0; i < 50; i++) {
		open_for(&more, srv, "192.0.2.1");
		assert_int_equal(peer_reply(&more), 421);
		peer_close(&more);
	}
	peer_close(&second);
	for (int i = 0; i < 30; i++) {
		open_for(&more, srv, "198.51.100.9");
		assert_true(peer_hello(&more));
		assert_int_equal(peer_say(&more, "QUIT"), 221);
		assert_int_equal(peer_reply(&more), 0);
		peer_close(&more);
	}
	peer_close(&first);
	smtpd_server_drain(srv, 1000);
	assert_int_equal(smtpd_server_count(srv, &c), 0);
	assert_int_equal(c.refused_connections, 50);
	assert_int_equal(c.connections_now, 0);
	assert_int_equal(n.lines + n.summed, 50);
	smtpd_server_destroy(srv);
}

/* From elsewhere no header is taken. */
static void
others_cannot_name_a_client(void **state)
{
	struct noted n;
	struct smtpd_server *srv = start(&n, "192.0.2.0/24", 0);
	struct peer p;

	(void)state;
	open_for(&p, srv, "192.0.2.1");
	/* It may be greeted first. */
	if (peer_reply(&p) == 220)
		assert_int_equal(peer_reply(&p), 500);
	assert_string_equal(n.peer, "127.0.0.1");
	assert_string_equal(n.proxy, "none");
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* A drain does not wait for a header. */
static void
a_drain_ends_the_wait(void **state)
{
	struct noted n;
	struct smtpd_server *srv = start(&n, "127.0.0.1", 0);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p;

	(void)state;
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	peer_send(&p, "PROXY ");
	do {
		peer_wait(1);
		assert_int_equal(smtpd_server_count(srv, &c), 0);
	} while (c.connections_now == 0);
	assert_int_equal(smtpd_server_drain(srv, SMTPD_NO_TIMEOUT), 0);
	assert_int_equal(peer_reply(&p), 0);
	assert_int_equal(smtpd_server_count(srv, &c), 0);
	assert_int_equal(c.timeouts, 0);
	assert_int_equal(c.bytes_out, 0);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* Where TLS begins at once, nobody who is refused is told so in plain text. */
static void
nothing_is_said_before_tls(void **state)
{
	struct noted n;
	struct smtpd_server *srv = start(&n, "127.0.0.1", SMTPD_LISTEN_TLS);
	struct peer p[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		open_for(&p[i], srv, "192.0.2.1");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(peer_reply(&p[i]), 0);
		peer_close(&p[i]);
	}
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_the_peer),
		cmocka_unit_test(limits_are_those_of_the_client),
		cmocka_unit_test(the_refused_leave_all_places),
		cmocka_unit_test(others_cannot_name_a_client),
		cmocka_unit_test(a_drain_ends_the_wait),
		cmocka_unit_test(nothing_is_said_before_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
