/* SPDX-License-Identifier: MIT */
/* Connections that wait without a thread. */
#include "server/parking.h"

#include <smtpd.h>

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

#define MANY 50

/* As long as nothing may take. */
#define LONG_MS 60000

/* So many threads may be there when all clients are silent. */
#define THREADS_MAX 20

struct lot {
	struct smtpd_parking parking;
	struct smtpd_place places[3];
	int pairs[3][2];
};

static int
setup(void **state)
{
	static struct lot l;

	memset(&l, 0, sizeof(l));
	smtpd__parking_init(&l.parking);
	assert_int_equal(smtpd__parking_open(&l.parking), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM, 0, l.pairs[i]), 0);
	*state = &l;
	return 0;
}

static int
teardown(void **state)
{
	struct lot *l = *state;

	for (int i = 0; i < 3; i++) {
		smtpd__parking_leave(&l->parking, &l->places[i]);
		close(l->pairs[i][0]);
		close(l->pairs[i][1]);
	}
	smtpd__parking_finish(&l->parking);
	return 0;
}

/* Park place I for MS milliseconds. */
static void
park_place(struct lot *l, int i, uint64_t ms)
{
	assert_int_equal(smtpd__parking_add(&l->parking, &l->places[i],
			     l->pairs[i][0], smtpd__clock_ms() + ms),
	    0);
}

/* Wait until something is taken: which one, because of WHY. */
static int
take(struct lot *l, enum smtpd_io_status why)
{
	struct smtpd_place *at;

	do {
		assert_true(smtpd__parking_wait(&l->parking));
		at = smtpd__parking_take(&l->parking);
	} while (at == NULL);
	assert_int_equal(at->why, why);
	return (int)(at - l->places);
}

static void
takes_what_talks(void **state)
{
	struct lot *l = *state;

	for (int i = 0; i < 3; i++)
		park_place(l, i, LONG_MS);
	assert_null(smtpd__parking_take(&l->parking));
	for (int round = 0; round < 2; round++) {
		assert_int_equal(write(l->pairs[1][1], "x", 1), 1);
		assert_int_equal(take(l, SMTPD_IO_OK), 1);
		/* It is told no more until it is parked again. */
		assert_null(smtpd__parking_take(&l->parking));
		park_place(l, 1, LONG_MS);
	}
	assert_int_equal(take(l, SMTPD_IO_OK), 1);
	shutdown(l->pairs[2][1], SHUT_RDWR);
	assert_int_equal(take(l, SMTPD_IO_OK), 2);
	assert_null(smtpd__parking_take(&l->parking));
}

static void
takes_what_is_due(void **state)
{
	const uint64_t begin = smtpd__clock_ms();
	struct lot *l = *state;

	park_place(l, 0, LONG_MS);
	park_place(l, 1, 700);
	park_place(l, 2, 300);
	assert_int_equal(take(l, SMTPD_IO_TIMEOUT), 2);
	assert_true(smtpd__clock_ms() - begin >= 300);
	/* What it says afterwards is not for this. */
	assert_int_equal(write(l->pairs[2][1], "x", 1), 1);
	assert_int_equal(take(l, SMTPD_IO_TIMEOUT), 1);
	assert_true(smtpd__clock_ms() - begin >= 700);
	assert_null(smtpd__parking_take(&l->parking));
	park_place(l, 2, SMTPD_NEVER - smtpd__clock_ms());
	assert_int_equal(take(l, SMTPD_IO_OK), 2);
}

static void
takes_what_is_woken(void **state)
{
	struct lot *l = *state;

	assert_null(smtpd__parking_wake_oldest(&l->parking, 0));
	for (int i = 0; i < 3; i++)
		park_place(l, i, LONG_MS);
	assert_null(smtpd__parking_wake_oldest(&l->parking, LONG_MS));
	assert_ptr_equal(
	    smtpd__parking_wake_oldest(&l->parking, 0), &l->places[0]);
	assert_true(smtpd__parking_wake(
	    &l->parking, &l->places[2], SMTPD_IO_INTERRUPTED));
	assert_false(smtpd__parking_wake(
	    &l->parking, &l->places[2], SMTPD_IO_INTERRUPTED));
	assert_int_equal(take(l, SMTPD_IO_INTERRUPTED), 0);
	assert_int_equal(take(l, SMTPD_IO_INTERRUPTED), 2);
	assert_false(smtpd__parking_wake(
	    &l->parking, &l->places[2], SMTPD_IO_INTERRUPTED));
	smtpd__parking_put_back(&l->parking, &l->places[0]);
	assert_int_equal(take(l, SMTPD_IO_INTERRUPTED), 0);
	assert_null(smtpd__parking_take(&l->parking));
	smtpd__parking_close(&l->parking);
	assert_false(smtpd__parking_wait(&l->parking));
}

static struct smtpd_server *
create(const struct smtpd_settings *settings)
{
	struct smtpd_server *srv = smtpd_server_create(settings);

	assert_non_null(srv);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_set_deliver(srv, callback_read_all, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	return srv;
}

/* The same, and it runs. */
static struct smtpd_server *
start(const struct smtpd_settings *settings)
{
	struct smtpd_server *srv = create(settings);

	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

static void
come(struct peer *p, const struct smtpd_server *srv)
{
	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(p));
}

/* Wait until all clients of SRV are parked. */
static void
await_rest(struct smtpd_server *srv)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };

	do {
		peer_wait(100);
		assert_int_equal(smtpd_server_count(srv, &c), 0);
	} while (c.threads_now > THREADS_MAX);
}

/* Whatever a client was about, it finds it again. */
static void
sessions_go_on(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT };
	struct smtpd_server *srv = start(&settings);
	struct peer many[MANY], line, mail, data, waste;
	char text[5000];

	(void)state;
	for (int i = 0; i < MANY; i++)
		come(&many[i], srv);
	come(&line, srv);
	peer_send(&line, "NO");
	come(&mail, srv);
	assert_int_equal(peer_say(&mail, "MAIL FROM:<a@b.example>"), 250);
	assert_int_equal(peer_say(&mail, "RCPT TO:<c@d.example>"), 250);
	come(&data, srv);
	assert_int_equal(peer_deliver(&data, "c@d.example", "x\r\n"), 250);
	come(&waste, srv);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	peer_send(&waste, text);
	await_rest(srv);

	for (int i = 0; i < MANY; i++)
		assert_int_equal(peer_say(&many[i], "NOOP"), 250);
	assert_int_equal(peer_say(&line, "OP"), 250);
	assert_int_equal(peer_say(&mail, "RCPT TO:<e@d.example>"), 250);
	assert_int_equal(peer_say(&mail, "DATA"), 354);
	assert_int_equal(peer_say(&mail, "x\r\n."), 250);
	assert_int_equal(peer_deliver(&data, "c@d.example", "x\r\n"), 250);
	/* It is one line, and was refused as one. */
	assert_int_equal(peer_say(&waste, "NOOP"), 500);
	assert_int_equal(peer_say(&waste, "NOOP"), 250);

	/* A second time, and then they go. */
	await_rest(srv);
	for (int i = 0; i < MANY; i++) {
		if (i % 2 == 0)
			assert_int_equal(peer_say(&many[i], "QUIT"), 221);
		peer_close(&many[i]);
	}
	assert_int_equal(peer_say(&line, "QUIT"), 221);
	peer_close(&line);
	peer_close(&mail);
	peer_close(&data);
	peer_close(&waste);
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	smtpd_server_destroy(srv);
}

static int
refuse(struct smtpd_session *s, void *user)
{
	(void)user;
	return smtpd_reply(s, 554, "5.7.1", "No service for you");
}

static void
count_end(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	atomic_int *ends = user;

	(void)s, (void)why;
	*ends += 1;
}

/* Send MANY clients of SRV away; return whether all waited, without a thread,
 * for them to take the last reply. */
static bool
send_away(struct smtpd_server *srv)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p[MANY];
	bool seen = false;

	for (int i = 0; i < MANY; i++)
		assert_int_equal(
		    peer_open(&p[i], smtpd_server_address(srv, 0), NULL), 0);
	do {
		assert_int_equal(smtpd_server_count(srv, &c), 0);
		seen |=
		    c.connections_now == MANY && c.threads_now <= THREADS_MAX;
	} while (c.connections_now == MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(peer_reply(&p[i]), 554);
		assert_int_equal(peer_reply(&p[i]), 0);
		peer_close(&p[i]);
	}
	do {
		assert_int_equal(smtpd_server_count(srv, &c), 0);
	} while (c.connections_now > 0);
	return seen;
}

/* Clients that got their last reply, and do not go.  They are waited for so
 * short a time that a busy machine may miss it. */
static void
the_refused_have_no_thread(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT };
	atomic_int ends = 0;
	const struct smtpd_events events = { SMTPD_EVENTS_INIT,
		.connect = refuse, .disconnect = count_end, .user = &ends };
	struct smtpd_server *srv = create(&settings);
	int rounds = 1;

	(void)state;
	smtpd_server_add_events(srv, &events);
	assert_int_equal(smtpd_server_start(srv), 0);
	while (!send_away(srv))
		rounds++;
	assert_int_equal(ends, rounds * MANY);
	smtpd_server_destroy(srv);
}

/* A client that stays silent is told so, and so is one whose line, or session,
 * takes too long. */
static void
time_goes_on(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .idle_timeout_ms = 8000,
		.command_timeout_ms = 3000, .session_timeout_ms = 12000 };
	struct smtpd_server *srv = start(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	const uint64_t begin = smtpd__clock_ms();
	struct peer silent, slow, busy;

	(void)state;
	come(&silent, srv);
	come(&slow, srv);
	come(&busy, srv);
	peer_send(&slow, "NO");
	assert_int_equal(peer_reply(&slow), 421);
	assert_true(smtpd__clock_ms() - begin >= 3000);
	assert_int_equal(peer_say(&busy, "NOOP"), 250);
	assert_int_equal(peer_reply(&silent), 421);
	assert_true(smtpd__clock_ms() - begin >= 8000);
	assert_int_equal(peer_say(&busy, "NOOP"), 250);
	assert_int_equal(peer_reply(&busy), 421);
	assert_true(smtpd__clock_ms() - begin >= 12000);
	assert_int_equal(smtpd_server_count(srv, &c), 0);
	assert_int_equal(c.timeouts, 3);
	peer_close(&silent);
	peer_close(&slow);
	peer_close(&busy);
	smtpd_server_destroy(srv);
}

static void
a_drain_finds_them(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example", .max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT };
	struct smtpd_server *srv = start(&settings);
	struct peer p[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		come(&p[i], srv);
	await_rest(srv);
	assert_int_equal(smtpd_server_drain(srv, LONG_MS), 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(peer_reply(&p[i]), 421);
		assert_int_equal(peer_reply(&p[i]), 0);
		peer_close(&p[i]);
	}
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    takes_what_talks, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    takes_what_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    takes_what_is_woken, setup, teardown),
		cmocka_unit_test(sessions_go_on),
		cmocka_unit_test(the_refused_have_no_thread),
		cmocka_unit_test(time_goes_on),
		cmocka_unit_test(a_drain_finds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
