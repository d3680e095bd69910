/* SPDX-License-Identifier: MIT */
/* Sessions that something holds up while the server stops. */
#include <smtpd.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "certs.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* Longer than any test may take. */
#define LONG_MS 20000

static void
open_peer(struct peer *p, const struct smtpd_server *srv)
{
	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(p));
}

/* A handler that rests until it is told. */
struct rest {
	struct smtpd_server *srv;
	atomic_bool inside, over;
	int result, error;
};

static int
rest_inside(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	struct rest *r = user;

	(void)s, (void)command;
	r->result = smtpd_server_drain(r->srv, 0);
	r->error = errno;
	r->inside = true;
	while (!r->over)
		peer_wait(10);
	return 0;
}

/* E14: A handler that does not end holds up nobody but destroy(), and may not
 * wait for itself. */
static void
a_handler_does_not_hold_up_a_drain(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example" };
	struct rest r = { .srv = smtpd_server_create(&settings) };
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p;

	(void)state;
	smtpd_server_add_handler(r.srv, "NOOP", rest_inside, &r);
	smtpd_server_set_deliver(r.srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_listen(r.srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(r.srv), 0);
	open_peer(&p, r.srv);
	peer_send(&p, "NOOP\r\n");
	while (!r.inside)
		peer_wait(10);
	assert_int_equal(r.result, -1);
	assert_int_equal(r.error, EDEADLK);
	assert_int_equal(smtpd_server_drain(r.srv, 100), 1);
	smtpd_server_count(r.srv, &c);
	assert_int_equal(c.connections_now, 1);
	r.over = true;
	smtpd_server_destroy(r.srv);
	peer_close(&p);
}

/* E14: A client that stalls in its message is told why it is cut off. */
static void
a_stalled_message_gets_421(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example" };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct peer p;

	(void)state;
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	open_peer(&p, srv);
	assert_true(peer_begin_message(&p));
	assert_int_equal(smtpd_server_drain(srv, 100), 1);
	assert_int_equal(peer_reply(&p), 421);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* E15: A client that has not begun its session is not waited for. */
static void
a_silent_client_does_not_hold_up_a_drain(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .greet_delay_ms = LONG_MS * 3 };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p;

	(void)state;
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	while (c.connections_now == 0) {
		peer_wait(10);
		smtpd_server_count(srv, &c);
	}
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

static void
a_silent_handshake_does_not_hold_up_a_drain(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .handshake_timeout_ms = LONG_MS * 3 };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct smtpd_tls *tls = smtpd_tls_create(NULL);
	struct peer p;

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
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(
	    smtpd_server_listen(srv, "127.0.0.1:0", SMTPD_LISTEN_TLS), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	while (c.connections_now == 0) {
		peer_wait(10);
		smtpd_server_count(srv, &c);
	}
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handler_does_not_hold_up_a_drain),
		cmocka_unit_test(a_stalled_message_gets_421),
		cmocka_unit_test(a_silent_client_does_not_hold_up_a_drain),
		cmocka_unit_test(a_silent_handshake_does_not_hold_up_a_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
