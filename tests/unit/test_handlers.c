/* SPDX-License-Identifier: MIT */
/* The chains of handlers and events, and what may be registered when. */
#include <smtpd.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "test.h"

/* What was asked, in order: a letter each. */
static char asked[64];
static char logged[1024];

struct handler {
	char letter;
	int result;       /* 0: no answer, whatever was set */
	const char *text; /* NULL: no reply is set */
};

static int
answer(struct smtpd_session *s, const struct handler *h)
{
	size_t len = strlen(asked);

	if (len + 1 < sizeof(asked))
		asked[len] = h->letter;
	if (h->text != NULL)
		smtpd_reply(
		    s, h->result != 0 ? h->result : 250, NULL, "%s", h->text);
	return h->result;
}

static int
on_command(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)command;
	return answer(s, user);
}

static int
on_connect(struct smtpd_session *s, void *user)
{
	return answer(s, user);
}

static void
on_disconnect(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	(void)why;
	answer(s, user);
}

static int
deliver(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	(void)s, (void)envelope, (void)body, (void)user;
	return 0;
}

static void
append_log(enum smtpd_log_level level, const char *text, void *user)
{
	size_t len = strlen(logged);

	(void)user;
	if (level == SMTPD_LOG_ERROR)
		snprintf(logged + len, sizeof(logged) - len, "%s\n", text);
}

static struct smtpd_server *
create_server(void)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.log = append_log,
		.log_level = SMTPD_LOG_ERROR,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	assert_int_equal(smtpd_server_set_deliver(srv, deliver, NULL), 0);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	memset(asked, '\0', sizeof(asked));
	logged[0] = '\0';
	return srv;
}

/* Add handlers for VERB, N at H. */
static void
add_handlers(
    struct smtpd_server *srv, const char *verb, struct handler *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
		    smtpd_server_add_handler(srv, verb, on_command, &h[i]), 0);
}

/* Start SRV and greet it as P. */
static void
start_and_greet(struct smtpd_server *srv, struct peer *p)
{
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(p));
}

static void
handlers_are_asked_in_order_and_the_first_answer_wins(void **state)
{
	struct handler noop[] = { { 'a', 0, NULL }, { 'b', 250, "from b" },
		{ 'c', 550, "from c" } };
	struct handler help[] = { { 'd', 0, "dropped" }, { 'e', 0, NULL } };
	struct handler new[] = { { 'f', 0, NULL }, { 'g', 259, "from g" } };
	struct smtpd_server *srv = create_server();
	struct peer p;

	(void)state;
	add_handlers(srv, "NOOP", noop, COUNT(noop));
	add_handlers(srv, "help", help, COUNT(help));
	add_handlers(srv, "xnew", new, COUNT(new));
	start_and_greet(srv, &p);
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	assert_string_equal(p.text, "250 from b\n");
	assert_int_equal(peer_say(&p, "HELP"), 214);
	assert_null(strstr(p.text, "dropped"));
	assert_int_equal(peer_say(&p, "XNEW"), 259);
	assert_string_equal(p.text, "259 from g\n");
	assert_string_equal(asked, "abdefg");
	peer_close(&p);
	smtpd_server_destroy(srv);
}

static void
a_refusal_in_the_chain_keeps_the_library_from_acting(void **state)
{
	struct handler rcpt[] = { { 'a', 0, NULL }, { 'b', 450, "later" },
		{ 'c', 0, NULL } };
	struct smtpd_server *srv = create_server();
	struct peer p;

	(void)state;
	add_handlers(srv, "RCPT", rcpt, COUNT(rcpt));
	start_and_greet(srv, &p);
	assert_int_equal(peer_say(&p, "MAIL FROM:<>"), 250);
	assert_int_equal(peer_say(&p, "RCPT TO:<b@example.org>"), 450);
	assert_int_equal(peer_say(&p, "DATA"), 554);
	assert_string_equal(asked, "ab");
	peer_close(&p);
	smtpd_server_destroy(srv);
}

static void
a_mistake_in_the_chain_is_answered_and_logged(void **state)
{
	struct handler noop[] = { { 'a', 250, NULL }, { 'b', 250, "from b" } };
	struct handler help[] = { { 'c', SMTPD_LATER, NULL } };
	struct handler vrfy[] = { { 'd', 99, "no code" } };
	struct smtpd_server *srv = create_server();
	struct peer p;

	(void)state;
	add_handlers(srv, "NOOP", noop, COUNT(noop));
	add_handlers(srv, "HELP", help, COUNT(help));
	add_handlers(srv, "VRFY", vrfy, COUNT(vrfy));
	start_and_greet(srv, &p);
	assert_int_equal(peer_say(&p, "NOOP"), 451);
	assert_int_equal(peer_say(&p, "HELP"), 451);
	assert_int_equal(peer_say(&p, "VRFY a"), 451);
	assert_string_equal(asked, "acd");
	assert_non_null(strstr(logged,
	    "handler returned 250, which is not the code it passed to "
	    "smtpd_reply()"));
	assert_non_null(strstr(logged, "SMTPD_LATER"));
	assert_non_null(strstr(logged, "handler replied with code=99"));
	peer_close(&p);
	smtpd_server_destroy(srv);
}

static void
all_events_are_told_but_the_first_answer_to_connect_wins(void **state)
{
	struct handler h[] = { { 'a', 0, "dropped" }, { 'b', 220, "hello" },
		{ 'c', 554, "not you" } };
	struct smtpd_server *srv = create_server();
	struct peer p;

	(void)state;
	for (size_t i = 0; i < COUNT(h); i++) {
		const struct smtpd_events events = {
			SMTPD_EVENTS_INIT,
			.connect = on_connect,
			.disconnect = on_disconnect,
			.user = &h[i],
		};

		assert_int_equal(smtpd_server_add_events(srv, &events), 0);
	}
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_int_equal(peer_reply(&p), 220);
	assert_string_equal(p.text, "220 mx.example hello\n");
	assert_int_equal(peer_say(&p, "QUIT"), 221);
	peer_close(&p);
	smtpd_server_destroy(srv);
	assert_string_equal(asked, "ababc");
}

/* E20: A program for a newer library learns that this one is older. */
static void
null_and_unknown_flags_are_refused(void **state)
{
	struct smtpd_server *srv = create_server();
	const struct smtpd_events sizeless = { .size = 0 };

	(void)state;
#define REFUSED(call)                    \
	errno = 0;                       \
	assert_int_equal(call, -1);      \
	assert_int_equal(errno, EINVAL); \
	assert_string_not_equal(smtpd_server_error(srv), "")
	REFUSED(smtpd_server_add_handler(srv, NULL, on_command, NULL));
	REFUSED(smtpd_server_add_handler(srv, "NOOP", NULL, NULL));
	REFUSED(smtpd_server_add_verb(srv, NULL, 0, on_command, NULL));
	REFUSED(smtpd_server_add_verb(srv, "XNEW", 1 << 30, on_command, NULL));
	REFUSED(smtpd_server_add_keyword(srv, NULL));
	REFUSED(smtpd_server_add_proxy(srv, NULL));
	REFUSED(smtpd_server_add_xclient(srv, NULL));
	REFUSED(smtpd_server_add_proxy(srv, "192.0.2.0/33"));
	REFUSED(smtpd_server_add_param(srv, NULL, "X"));
	REFUSED(smtpd_server_add_param(srv, "MAIL", NULL));
	REFUSED(smtpd_server_set_deliver(srv, NULL, NULL));
	REFUSED(smtpd_server_add_events(srv, NULL));
	REFUSED(smtpd_server_add_events(srv, &sizeless));
	REFUSED(smtpd_server_listen(srv, NULL, 0));
	REFUSED(smtpd_server_listen(srv, "127.0.0.1:0", 1 << 7));
	REFUSED(smtpd_server_set_reply_text(srv, NULL, "x"));
	REFUSED(smtpd_server_set_reply_text(srv, "ok", NULL));
#undef REFUSED
	assert_int_equal(smtpd_server_count(srv, NULL), -1);
	smtpd_server_destroy(srv);
}

/* E11: It would not be asked by those who are connected. */
static void
after_the_start_nothing_is_registered(void **state)
{
	const struct smtpd_events events = { SMTPD_EVENTS_INIT };
	struct handler h = { 'a', 550, "too late" };
	struct smtpd_server *srv = create_server();
	struct peer p;

	(void)state;
	start_and_greet(srv, &p);
#define REFUSED(call)               \
	errno = 0;                  \
	assert_int_equal(call, -1); \
	assert_int_equal(errno, EBUSY)
	REFUSED(smtpd_server_add_handler(srv, "NOOP", on_command, &h));
	REFUSED(smtpd_server_add_verb(srv, "XNEW", 0, on_command, &h));
	REFUSED(smtpd_server_add_keyword(srv, "XNEW"));
	REFUSED(smtpd_server_add_proxy(srv, "192.0.2.0/24"));
	REFUSED(smtpd_server_add_xclient(srv, "192.0.2.0/24"));
	REFUSED(smtpd_server_add_param(srv, "MAIL", "X"));
	REFUSED(smtpd_server_set_deliver(srv, deliver, NULL));
	REFUSED(smtpd_server_add_events(srv, &events));
	REFUSED(smtpd_server_set_data(srv, &h, NULL));
	REFUSED(smtpd_server_set_reply_text(srv, "ok", "Too late"));
	REFUSED(smtpd_server_listen_fd(srv, -1, 0));
	REFUSED(smtpd_server_start(srv));
#undef REFUSED
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	assert_string_equal(p.text, "250 2.0.0 OK\n");
	assert_int_equal(peer_say(&p, "XNEW"), 500);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    handlers_are_asked_in_order_and_the_first_answer_wins),
		cmocka_unit_test(
		    a_refusal_in_the_chain_keeps_the_library_from_acting),
		cmocka_unit_test(a_mistake_in_the_chain_is_answered_and_logged),
		cmocka_unit_test(
		    all_events_are_told_but_the_first_answer_to_connect_wins),
		cmocka_unit_test(null_and_unknown_flags_are_refused),
		cmocka_unit_test(after_the_start_nothing_is_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
