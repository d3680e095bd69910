/* SPDX-License-Identifier: MIT */
/* The threads of a server in a program with much data for each thread. */
#include <smtpd.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* E2: The C library takes static thread data out of each stack. */
static _Thread_local volatile char thread_data[1 << 20];

static struct smtpd_server *
create(void)
{
	struct smtpd_server *srv = smtpd_server_create(NULL);

	assert_non_null(srv);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	return srv;
}

/* E1, E2: Each size of a stack serves a session, or is refused with a sentence:
 * also where a thread has much data. */
static void
test_each_stack_size(void **state)
{
	int served = 0;

	(void)state;
	for (size_t size = 4096; size <= 65536; size += 4096) {
		const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
			.hostname = "mx.example", .stack_size = size };
		struct smtpd_server *srv = smtpd_server_create(&settings);
		struct peer p;

		smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
		smtpd_server_set_deliver(srv, callback_take_unread, NULL);
		assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
		if (smtpd_server_start(srv) == -1) {
			assert_non_null(
			    strstr(smtpd_server_error(srv), "stack_size"));
			smtpd_server_destroy(srv);
			continue;
		}
		assert_int_equal(
		    peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
		assert_true(peer_hello(&p));
		assert_int_equal(peer_deliver(&p, "b@example.org", "x"), 250);
		peer_close(&p);
		smtpd_server_destroy(srv);
		served++;
	}
	print_message("%d sizes served\n", served);
}

/* E2: By default a handler may use what code usually uses. */
static int
use_stack(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	volatile char locals[200 * 1024];

	(void)s, (void)command, (void)user;
	for (size_t i = 0; i < sizeof(locals); i += 4096)
		locals[i] = 1;
	thread_data[sizeof(thread_data) - 1] = locals[0];
	return 0;
}

static void
test_handlers_have_room(void **state)
{
	struct smtpd_server *srv = create();
	struct peer p;

	(void)state;
	smtpd_server_add_handler(srv, "NOOP", use_stack, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* E13: The program's signals are not the library's: they wait for its own
 * threads. */
static void
test_signals_stay_with_the_program(void **state)
{
	struct smtpd_server *srv = create();
	struct timespec limit = { .tv_sec = 20 };
	sigset_t set, before;
	struct peer p;

	(void)state;
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(sigtimedwait(&set, NULL, &limit), SIGTERM);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_stack_size),
		cmocka_unit_test(test_handlers_have_room),
		cmocka_unit_test(test_signals_stay_with_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
