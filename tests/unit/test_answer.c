/* SPDX-License-Identifier: MIT */
/* Replies, as the program and its log see them. */
#include <smtpd.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs.h"
#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* What the log said: lines that begin with "refused", and the last of them, and
 * errors. */
struct noted {
	int refused, errors;
	char last[1024];
};

static void
note_line(enum smtpd_log_level level, const char *text, void *user)
{
	struct noted *n = user;

	n->errors += level == SMTPD_LOG_ERROR;
	if (strncmp(text, "refused ", 8) != 0)
		return;
	n->refused++;
	snprintf(n->last, sizeof(n->last), "%s", text);
}

static int
refuse_for_now(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)command, (void)user;
	return smtpd_reply(s, 451, "4.7.1", "later");
}

static struct smtpd_server *
create(struct noted *n)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.tarpit_ms = 1,
		.log = note_line,
		.log_user = n,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	return srv;
}

/* A session over a socket pair, on a thread of its own. */
struct served {
	struct smtpd_server *srv;
	int fd;
	pthread_t thread;
};

static void *
serve(void *arg)
{
	struct served *v = arg;

	smtpd_server_serve(v->srv, v->fd, v->fd, 0);
	close(v->fd);
	return NULL;
}

static void
begin_serving(struct served *v, struct smtpd_server *srv, struct peer *p)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*v = (struct served){ .srv = srv, .fd = pair[0] };
	peer_adopt(p, pair[1]);
	assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
	assert_true(peer_hello(p));
}

static void
end_serving(struct served *v, struct peer *p)
{
	peer_close(p);
	pthread_join(v->thread, NULL);
	smtpd_server_destroy(v->srv);
}

/* R5: What one session can write to the log is bounded. */
static void
refusals_are_logged_up_to_a_number_and_then_summed_up(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	struct served v;
	struct peer p;
	int refused = 0;

	(void)state;
	smtpd_server_add_handler(srv, "MAIL", refuse_for_now, NULL);
	begin_serving(&v, srv, &p);
	while (peer_say(&p, "MAIL FROM:<a@example.com>") == 451)
		refused++;
	assert_int_equal(refused, 199);
	end_serving(&v, &p);
	assert_int_equal(n.refused, 21);
	assert_non_null(strstr(n.last, " more=180"));
}

static void
reply_at_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	(void)envelope, (void)how;
	*(int *)user = code;
	smtpd_reply(s, 550, "5.7.1", "said in an event");
}

/* E8: An outcome that is decided stays as it is, whatever an event says. */
static void
a_reply_in_an_event_changes_nothing(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	int code = 0;
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.transaction_end = reply_at_end,
		.user = &code,
	};
	struct served v;
	struct peer p;

	(void)state;
	smtpd_server_add_events(srv, &events);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	begin_serving(&v, srv, &p);
	assert_int_equal(peer_deliver(&p, "b@example.org", "x"), 250);
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	end_serving(&v, &p);
	assert_int_equal(code, 250);
}

static void
reply_to_rcpt_at_end(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, enum smtpd_end how, int code,
    void *user)
{
	(void)envelope, (void)how, (void)user;
	assert_int_equal(code, 250);
	smtpd_reply_rcpt(s, 0, 552, "5.2.2", "said in an event");
}

static int
reply_to_rcpt_too_early(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)command, (void)user;
	smtpd_reply_rcpt(s, 0, 552, "5.2.2", "said in a handler");
	return 0;
}

static int
reply_to_absent_rcpt(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body, void *user)
{
	(void)body, (void)user;
	smtpd_reply_rcpt(s, envelope->nrcpts, 552, "5.2.2", "to nobody");
	return 0;
}

/* Replies to recipients that are not there, or are given elsewhere than in
 * delivery, change nothing, and the log says so. */
static void
replies_to_no_recipient_change_nothing(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.transaction_end = reply_to_rcpt_at_end,
	};
	struct served v;
	struct peer p;

	(void)state;
	smtpd_server_add_events(srv, &events);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	smtpd_server_add_handler(srv, "DATA", reply_to_rcpt_too_early, NULL);
	smtpd_server_set_deliver(srv, reply_to_absent_rcpt, NULL);
	begin_serving(&v, srv, &p);
	assert_int_equal(peer_deliver(&p, "b@example.org", "x"), 250);
	end_serving(&v, &p);
	assert_int_equal(n.errors, 3);
}

static void
note_tls(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	(void)why;
	*(bool *)user = smtpd_session_tls(s) != NULL;
}

/* E7: There is no TLS before its handshake is over. */
static void
a_failed_handshake_leaves_no_tls(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	struct smtpd_tls *tls = smtpd_tls_create(NULL);
	bool told = true;
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.disconnect = note_tls,
		.user = &told,
	};
	struct served v;
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
	smtpd_server_add_events(srv, &events);
	begin_serving(&v, srv, &p);
	assert_int_equal(peer_say(&p, "STARTTLS"), 220);
	peer_send(&p, "garbage that is no TLS\r\n");
	end_serving(&v, &p);
	assert_false(told);
}

static void
set_again(void *data)
{
	atomic_fetch_add((atomic_int *)data, 1);
}

static struct smtpd_session *present;

static void
forget_itself(void *data)
{
	set_again(data);
	smtpd_session_set_data(present, NULL, NULL);
}

static int
set_data(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)command;
	present = s;
	smtpd_session_set_data(s, user, forget_itself);
	return 0;
}

/* E9: A destructor is called once, whatever it sets. */
static void
a_destructor_that_sets_data_is_called_once(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	atomic_int calls = 0;
	struct served v;
	struct peer p;

	(void)state;
	smtpd_server_add_handler(srv, "NOOP", set_data, &calls);
	begin_serving(&v, srv, &p);
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	end_serving(&v, &p);
	assert_int_equal(calls, 1);
}

static int
rest_and_count(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)s, (void)command;
	peer_wait(200);
	atomic_fetch_add((atomic_int *)user, 1);
	return 0;
}

/* R4: RFC 5321, 4.5.3.2.2: Replies of a group do not wait for its last
 * handler. */
static void
old_replies_are_sent_before_the_group_is_over(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	atomic_int calls = 0;
	struct served v;
	struct peer p;

	(void)state;
	smtpd_server_add_handler(srv, "RCPT", rest_and_count, &calls);
	begin_serving(&v, srv, &p);
	for (int i = 0; i < 20; i++)
		peer_send(&p,
		    i == 0 ? "MAIL FROM:<a@b>\r\nRCPT TO:<b@c>\r\n"
			   : "RCPT TO:<b@c>\r\n");
	assert_int_equal(peer_reply(&p), 250);
	assert_in_range(calls, 1, 15);
	for (int i = 0; i < 20; i++)
		assert_int_equal(peer_reply(&p), 250);
	end_serving(&v, &p);
}

static void *
fail_to_listen(void *arg)
{
	assert_int_equal(smtpd_server_listen(arg, NULL, 0), -1);
	assert_string_equal(
	    smtpd_server_error(arg), "address must not be NULL");
	return NULL;
}

/* E10: Each thread has the sentence of its own calls. */
static void
errors_belong_to_threads(void **state)
{
	struct noted n = { 0 };
	struct smtpd_server *srv = create(&n);
	pthread_t thread;

	(void)state;
	assert_string_equal(smtpd_server_error(srv), "");
	assert_int_equal(smtpd_server_serve(srv, -1, -1, 0), -1);
	assert_int_equal(pthread_create(&thread, NULL, fail_to_listen, srv), 0);
	pthread_join(thread, NULL);
	assert_string_equal(
	    smtpd_server_error(srv), "a descriptor is negative");
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    refusals_are_logged_up_to_a_number_and_then_summed_up),
		cmocka_unit_test(a_reply_in_an_event_changes_nothing),
		cmocka_unit_test(replies_to_no_recipient_change_nothing),
		cmocka_unit_test(a_failed_handshake_leaves_no_tls),
		cmocka_unit_test(a_destructor_that_sets_data_is_called_once),
		cmocka_unit_test(old_replies_are_sent_before_the_group_is_over),
		cmocka_unit_test(errors_belong_to_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
