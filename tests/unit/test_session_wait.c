/* SPDX-License-Identifier: MIT */
/* Callbacks that wait for something else than their client, and what ends
 * that. */
#include <smtpd.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <smtpd/client.h>
#include <smtpd/resolve.h>

#include "net/socket.h"
#include "os/clock.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* Longer than any test may take. */
#define LONG_MS 60000

/* What a handler of NOOP waits for, and what came of it. */
struct wait {
	int (*wait)(struct smtpd_session *s, struct wait *w);
	int pipe[2];
	char host[SMTPD_SOCKET_TEXT_MAX]; /* that never says a word */
	atomic_bool inside;
	atomic_int result, error;
};

static int
wait_for_pipe(struct smtpd_session *s, struct wait *w)
{
	return smtpd_session_wait(s, w->pipe[0], POLLIN, LONG_MS);
}

static int
only_wait(struct smtpd_session *s, struct wait *w)
{
	(void)w;
	return smtpd_session_wait(s, -1, 0, SMTPD_NO_TIMEOUT);
}

static int
wait_a_moment(struct smtpd_session *s, struct wait *w)
{
	return smtpd_session_wait(s, w->pipe[0], POLLIN, 50);
}

static int
wait_for_nothing(struct smtpd_session *s, struct wait *w)
{
	(void)w;
	return smtpd_session_wait(s, 1000000, POLLIN, LONG_MS);
}

static int
look_up(struct smtpd_session *s, struct wait *w)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT, .servers = w->host,
		.timeout_ms = LONG_MS
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);
	struct smtpd_cancel *cancel = smtpd_session_cancel(s);

	assert_non_null(r);
	smtpd_targets_free(smtpd_resolve(r, "example.org", cancel));
	smtpd_resolver_destroy(r);
	errno = ECANCELED;
	return smtpd_cancel_is_triggered(cancel) ? -1 : 0;
}

static int
be_a_client(struct smtpd_session *s, struct wait *w)
{
	const struct smtpd_client_settings settings = {
		SMTPD_CLIENT_SETTINGS_INIT, .cancel = smtpd_session_cancel(s)
	};
	struct smtpd_client *c = smtpd_client_create(&settings);
	struct smtpd_target t = { SMTPD_TARGET_INIT, .host = "silent.example" };
	struct smtpd_sockaddr a;
	int result;

	assert_non_null(c);
	assert_int_equal(smtpd__socket_parse(w->host, &a), 0);
	t.addr = a.addr;
	t.len = a.len;
	result = smtpd_client_connect(
	    c, &t, 1, (uint16_t)strtol(strrchr(w->host, ':') + 1, NULL, 10));
	smtpd_client_destroy(c);
	errno = ECANCELED;
	return smtpd_cancel_is_triggered(settings.cancel) ? result : 0;
}

static int
on_noop(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct wait *w = user;

	(void)c;
	w->inside = true;
	w->result = w->wait(s, w);
	w->error = errno;
	return 0;
}

/* A server whose NOOP waits as W says. */
static struct smtpd_server *
start(struct wait *w)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example" };
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	assert_int_equal(pipe(w->pipe), 0);
	smtpd_server_add_handler(srv, "NOOP", on_noop, w);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

static void
stop(struct smtpd_server *srv, struct wait *w)
{
	smtpd_server_destroy(srv);
	close(w->pipe[0]);
	close(w->pipe[1]);
}

static void
come(struct peer *p, const struct smtpd_server *srv)
{
	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(p));
}

/* Have P say NOOP, and wait until its handler waits. */
static void
begin_wait(const struct peer *p, const struct wait *w)
{
	peer_send(p, "NOOP\r\n");
	while (!w->inside)
		peer_wait(10);
}

/* A port of this host that takes connections, or datagrams, and is silent. */
static int
be_silent(int type, char text[SMTPD_SOCKET_TEXT_MAX])
{
	struct smtpd_sockaddr a;
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(smtpd__socket_parse("127.0.0.1:0", &a), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a.addr, a.len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(smtpd__socket_local(fd, &a), 0);
	smtpd__socket_text(&a, text);
	return fd;
}

static void
waits_for_a_descriptor_or_a_while(void **state)
{
	struct wait w = { .wait = wait_for_pipe };
	struct smtpd_server *srv = start(&w);
	struct peer p;

	(void)state;
	come(&p, srv);
	begin_wait(&p, &w);
	assert_int_equal(write(w.pipe[1], "x", 1), 1);
	assert_int_equal(peer_reply(&p), 250);
	assert_int_equal(w.result, POLLIN);
	assert_int_equal(read(w.pipe[0], &(char){ 0 }, 1), 1);

	w.wait = wait_a_moment;
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	assert_int_equal(w.result, 0);
	w.wait = wait_for_nothing;
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	assert_int_equal(w.result, -1);
	assert_int_equal(w.error, EBADF);
	peer_close(&p);
	stop(srv, &w);
}

/* A client that has said more may be waiting for the replies, though it sends
 * no more. */
static void
ends_when_the_client_has_gone(void **state)
{
	struct wait w = { .wait = only_wait };
	struct smtpd_server *srv = start(&w);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p;

	(void)state;
	come(&p, srv);
	begin_wait(&p, &w);
	peer_close(&p);
	do {
		peer_wait(10);
		assert_int_equal(smtpd_server_count(srv, &c), 0);
	} while (c.connections_now > 0);
	assert_int_equal(w.result, -1);
	assert_int_equal(w.error, ECANCELED);

	w.wait = wait_a_moment;
	come(&p, srv);
	peer_send(&p, "NOOP\r\nQUIT\r\n");
	shutdown(p.fd, SHUT_WR);
	assert_int_equal(peer_reply(&p), 250);
	assert_int_equal(w.result, 0);
	assert_int_equal(peer_reply(&p), 221);
	peer_close(&p);
	stop(srv, &w);
}

/* What is waited for, on a silent host of this type. */
static const struct {
	int (*wait)(struct smtpd_session *s, struct wait *w);
	int type;
} waits[] = {
	{ only_wait, SOCK_STREAM },
	{ look_up, SOCK_DGRAM },
	{ be_a_client, SOCK_STREAM },
};

static void
ends_when_the_server_cuts_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct wait w = { .wait = waits[i].wait };
		int fd = be_silent(waits[i].type, w.host);
		struct smtpd_server *srv = start(&w);
		struct peer p;

		come(&p, srv);
		begin_wait(&p, &w);
		smtpd_server_drain(srv, 0);
		peer_close(&p);
		stop(srv, &w);
		assert_int_equal(w.result, -1);
		assert_int_equal(w.error, ECANCELED);
		close(fd);
	}
}

/* A callback that delivers within, or after, what it may take. */
struct slow {
	uint32_t ms;
	int code;
	atomic_bool cancelled;
};

static int
deliver_slowly(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct slow *slow = user;
	char buf[1024];

	(void)envelope;
	while (smtpd_body_read(body, buf, sizeof(buf)) > 0)
		continue;
	slow->cancelled =
	    smtpd_session_wait(s, -1, 0, slow->ms) == -1 && errno == ECANCELED;
	return slow->code != 0 ? smtpd_reply(s, slow->code, NULL, "Done") : 0;
}

static void
a_delivery_has_its_time(void **state)
{
	struct slow slow = { .ms = LONG_MS };
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .delivery_warning_ms = 300,
		.delivery_timeout_ms = 2000 };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p;

	(void)state;
	assert_non_null(srv);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, deliver_slowly, &slow);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	come(&p, srv);

	/* Too late, whatever it says; but a callback of another message has
	 * its own time. */
	assert_int_equal(peer_deliver(&p, "a@b.example", "x\r\n"), 451);
	assert_string_equal(
	    p.text, "451 4.3.0 Delivery took too long, try again later\n");
	assert_true(slow.cancelled);
	slow.code = 250;
	assert_int_equal(peer_deliver(&p, "a@b.example", "x\r\n"), 451);
	slow.ms = 400;
	assert_int_equal(peer_deliver(&p, "a@b.example", "x\r\n"), 250);
	assert_false(slow.cancelled);
	assert_int_equal(smtpd_server_count(srv, &c), 0);
	assert_int_equal(c.slow_deliveries, 3);
	assert_int_equal(c.messages, 1);
	assert_int_equal(c.messages_refused, 2);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_a_descriptor_or_a_while),
		cmocka_unit_test(ends_when_the_client_has_gone),
		cmocka_unit_test(ends_when_the_server_cuts_off),
		cmocka_unit_test(a_delivery_has_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
