/* SPDX-License-Identifier: MIT */
/* Sockets whose options cannot be set. */
#include <smtpd.h>

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

int __real_setsockopt(
    int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t len);

/* As a system that cannot let a socket wait for a limited time. */
int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && name == SO_RCVTIMEO) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return __real_setsockopt(fd, level, name, value, len);
}

/* R17: RFC 5321, 4.5.3.2.7: Silence ends though the socket itself would wait
 * for ever. */
static void
silence_ends_without_a_receive_timeout(void **state)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.idle_timeout_ms = 2500,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct peer p;

	(void)state;
	assert_non_null(srv);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_reply(&p), 421);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_ends_without_a_receive_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
