/* SPDX-License-Identifier: MIT */
/* A server inside an event loop: it is given connections, and told to stop. */
#include <smtpd.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtpd/client.h>
#include <smtpd/resolve.h>

#include "certs.h"
#include "net/socket.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* Longer than any test may take. */
#define LONG_MS 60000

static struct smtpd_server *
create(unsigned flags)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .flags = flags,
		.max_per_address = 1 };
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	return srv;
}

static struct smtpd_server *
start(void)
{
	struct smtpd_server *srv = create(SMTPD_FLAG_ADOPTS);

	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

/* Have SRV adopt one end of a socketpair, with FLAGS, and P be the other. */
static void
adopt_pair(struct smtpd_server *srv, struct peer *p, unsigned flags)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	fcntl(pair[1], F_SETFL, 0);
	peer_adopt(p, pair[1]);
	assert_int_equal(smtpd_server_adopt(srv, pair[0], flags), 0);
}

static void
adopted_connections_are_served(void **state)
{
	struct smtpd_server *srv = start();
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		adopt_pair(srv, &p[i], 0);
	for (int i = 0; i < 5; i++) {
		assert_true(peer_hello(&p[i]));
		assert_int_equal(
		    peer_deliver(&p[i], "a@b.example", "x\r\n"), 250);
		assert_int_equal(peer_say(&p[i], "QUIT"), 221);
		assert_int_equal(peer_reply(&p[i]), 0);
		peer_close(&p[i]);
	}
	adopt_pair(srv, &p[0], SMTPD_LISTEN_LMTP);
	assert_int_equal(peer_reply(&p[0]), 220);
	assert_int_equal(peer_say(&p[0], "EHLO a.example"), 500);
	assert_int_equal(peer_say(&p[0], "LHLO a.example"), 250);
	peer_close(&p[0]);
	/* There is no TLS. */
	adopt_pair(srv, &p[0], SMTPD_LISTEN_TLS);
	assert_int_equal(peer_reply(&p[0]), 0);
	peer_close(&p[0]);
	assert_int_equal(smtpd_server_count(srv, &c), 0);
	assert_int_equal(c.connections, 7);
	assert_int_equal(c.messages, 5);
	smtpd_server_destroy(srv);
}

/* Whether FD is closed. */
static bool
is_closed(int fd)
{
	return fcntl(fd, F_GETFD) == -1 && errno == EBADF;
}

static void
check_refused(struct smtpd_server *srv, int fd, unsigned flags, int error)
{
	assert_int_equal(smtpd_server_adopt(srv, fd, flags), -1);
	assert_int_equal(errno, error);
	assert_string_not_equal(smtpd_server_error(srv), "");
	assert_true(is_closed(fd));
}

static void
what_cannot_be_adopted_is_closed(void **state)
{
	struct smtpd_server *srv = create(SMTPD_FLAG_ADOPTS);
	int pair[2], pipes[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	check_refused(srv, pair[0], 0, EINVAL);
	close(pair[1]);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	check_refused(srv, pair[0], SMTPD_LISTEN_ABSENT, EINVAL);
	close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	check_refused(srv, pair[0], 0, EPROTOTYPE);
	close(pair[1]);
	assert_int_equal(pipe(pipes), 0);
	check_refused(srv, pipes[0], 0, ENOTSOCK);
	close(pipes[1]);
	check_refused(srv, socket(AF_INET, SOCK_STREAM, 0), 0, ENOTCONN);
	check_refused(srv, -1, 0, EBADF);
	smtpd_server_destroy(srv);
}

/* A connection to LISTENER, accepted by the program and adopted by SRV. */
static void
come(struct smtpd_server *srv, int listener, struct peer *p)
{
	char text[SMTPD_SOCKET_TEXT_MAX];
	struct smtpd_sockaddr a;

	assert_int_equal(smtpd__socket_local(listener, &a), 0);
	smtpd__socket_text(&a, text);
	assert_int_equal(peer_open(p, text, NULL), 0);
	assert_int_equal(
	    smtpd_server_adopt(srv, accept(listener, NULL, NULL), 0), 0);
}

static void
limits_hold_for_the_adopted(void **state)
{
	struct smtpd_server *srv = start();
	struct smtpd_sockaddr a;
	struct peer first, second;
	int listener;

	(void)state;
	assert_int_equal(smtpd__socket_parse("127.0.0.1:0", &a), 0);
	listener = smtpd__socket_listen(&a, false);
	assert_true(listener >= 0);
	fcntl(listener, F_SETFL, 0);
	come(srv, listener, &first);
	assert_int_equal(peer_reply(&first), 220);
	come(srv, listener, &second);
	assert_int_equal(peer_reply(&second), 421);
	assert_int_equal(peer_reply(&second), 0);
	assert_int_equal(peer_say(&first, "QUIT"), 221);
	peer_close(&first);
	peer_close(&second);
	close(listener);
	smtpd_server_destroy(srv);
}

static bool
is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static void
a_stop_lets_messages_finish(void **state)
{
	struct smtpd_server *srv = start();
	struct peer busy, idle, late;
	int fd = smtpd_server_fd(srv);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(smtpd_server_fd(srv), fd);
	assert_int_equal(smtpd_server_wait(srv, LONG_MS), -1);
	assert_int_equal(errno, EINVAL);
	adopt_pair(srv, &busy, 0);
	assert_true(peer_hello(&busy));
	assert_true(peer_begin_message(&busy));
	adopt_pair(srv, &idle, 0);
	assert_true(peer_hello(&idle));

	smtpd_server_stop(srv);
	smtpd_server_stop(srv);
	assert_int_equal(peer_reply(&idle), 421);
	adopt_pair(srv, &late, 0);
	assert_int_equal(peer_reply(&late), 421);
	assert_int_equal(peer_reply(&late), 0);
	assert_int_equal(smtpd_server_wait(srv, 50), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_false(is_readable(fd));
	assert_int_equal(peer_say(&busy, "."), 250);
	assert_int_equal(smtpd_server_wait(srv, LONG_MS), 0);
	assert_true(is_readable(fd));
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	peer_close(&busy);
	peer_close(&idle);
	peer_close(&late);
	smtpd_server_destroy(srv);
}

static void
a_server_that_never_ran_is_over_once_it_is_stopped(void **state)
{
	struct smtpd_server *srv = create(0);

	(void)state;
	assert_int_equal(smtpd_server_start(srv), -1);
	assert_non_null(strstr(smtpd_server_error(srv), "listen"));
	assert_false(is_readable(smtpd_server_fd(srv)));
	smtpd_server_stop(srv);
	assert_true(is_readable(smtpd_server_fd(srv)));
	assert_int_equal(smtpd_server_wait(srv, 0), 0);
	smtpd_server_destroy(srv);

	/* It is asked afterwards. */
	srv = create(0);
	smtpd_server_stop(srv);
	assert_true(is_readable(smtpd_server_fd(srv)));
	smtpd_server_destroy(srv);
}

/* A client that speaks TLS from the first byte. */
struct secure {
	struct smtpd_sockaddr to;
	int result;
	pthread_t thread;
};

static void *
come_in_tls(void *arg)
{
	struct secure *v = arg;
	const struct smtpd_client_settings settings = {
		SMTPD_CLIENT_SETTINGS_INIT, .tls_first = true
	};
	struct smtpd_client *c = smtpd_client_create(&settings);
	struct smtpd_target t = { SMTPD_TARGET_INIT, .host = "a.example",
		.addr = v->to.addr, .len = v->to.len };
	const struct sockaddr_in *in = (const struct sockaddr_in *)&t.addr;

	v->result = smtpd_client_connect(c, &t, 1, ntohs(in->sin_port));
	smtpd_client_quit(c);
	smtpd_client_destroy(c);
	return NULL;
}

/* As on port 465, whoever accepted the connection: inetd, say. */
static void
tls_begins_at_once(void **state)
{
	struct smtpd_server *srv = create(SMTPD_FLAG_ADOPTS);
	struct smtpd_tls *tls = smtpd_tls_create(NULL);
	struct smtpd_sockaddr any;
	struct secure v;
	int listener, fd;

	(void)state;
	if (!smtpd_tls_supported())
		skip();
	assert_int_equal(certs_copy(NULL), 0);
	assert_int_equal(
	    smtpd_tls_add_files(tls, certs_at("chain.pem"), certs_at("a.key")),
	    0);
	assert_int_equal(smtpd_server_set_tls(srv, tls), 0);
	smtpd_tls_unref(tls);
	assert_int_equal(certs_remove(NULL), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(smtpd__socket_parse("127.0.0.1:0", &any), 0);
	listener = smtpd__socket_listen(&any, false);
	fcntl(listener, F_SETFL, 0);
	assert_int_equal(smtpd__socket_local(listener, &v.to), 0);
	for (int adopted = 0; adopted < 2; adopted++) {
		assert_int_equal(
		    pthread_create(&v.thread, NULL, come_in_tls, &v), 0);
		fd = accept(listener, NULL, NULL);
		if (adopted)
			assert_int_equal(
			    smtpd_server_adopt(srv, fd, SMTPD_LISTEN_TLS), 0);
		else
			assert_int_equal(
			    smtpd_server_serve(srv, fd, fd, SMTPD_LISTEN_TLS),
			    0);
		pthread_join(v.thread, NULL);
		assert_int_equal(v.result, 0);
		if (!adopted)
			close(fd);
	}
	close(listener);
	smtpd_server_destroy(srv);
}

static int
stop_inside(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	struct smtpd_server *srv = smtpd_session_server(s);
	int *error = user;

	(void)command;
	smtpd_server_stop(srv);
	assert_int_equal(smtpd_server_wait(srv, LONG_MS), -1);
	*error = errno;
	return 0;
}

static void
a_handler_may_stop_but_not_wait(void **state)
{
	struct smtpd_server *srv = create(SMTPD_FLAG_ADOPTS);
	struct peer p;
	int error = 0;

	(void)state;
	smtpd_server_add_handler(srv, "NOOP", stop_inside, &error);
	assert_int_equal(smtpd_server_start(srv), 0);
	adopt_pair(srv, &p, 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	assert_int_equal(peer_reply(&p), 421);
	assert_int_equal(smtpd_server_wait(srv, LONG_MS), 0);
	assert_int_equal(error, EDEADLK);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopted_connections_are_served),
		cmocka_unit_test(what_cannot_be_adopted_is_closed),
		cmocka_unit_test(limits_hold_for_the_adopted),
		cmocka_unit_test(tls_begins_at_once),
		cmocka_unit_test(a_stop_lets_messages_finish),
		cmocka_unit_test(
		    a_server_that_never_ran_is_over_once_it_is_stopped),
		cmocka_unit_test(a_handler_may_stop_but_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
