/* SPDX-License-Identifier: MIT */
/* A server and its sessions, as the program that owns them sees them. */
#include <smtpd.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

static struct smtpd_server *
create(const struct smtpd_settings *settings)
{
	struct smtpd_server *srv = smtpd_server_create(settings);

	assert_non_null(srv);
	assert_int_equal(
	    smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL), 0);
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	return srv;
}

/* The same, and it runs. */
static struct smtpd_server *
start(const struct smtpd_settings *settings)
{
	struct smtpd_server *srv = create(settings);

	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

/* A session over a socket pair, on a thread of its own. */
struct served {
	struct smtpd_server *srv;
	int in, out;
	int result;
	pthread_t thread;
};

static void *
serve(void *arg)
{
	struct served *v = arg;

	v->result = smtpd_server_serve(v->srv, v->in, v->out, 0);
	shutdown(v->out, SHUT_RDWR);
	return NULL;
}

static void
begin_serving(struct served *v, struct smtpd_server *srv, struct peer *p)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*v = (struct served){ .srv = srv, .in = pair[0], .out = pair[0] };
	peer_adopt(p, pair[1]);
	assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
}

static void
end_serving(struct served *v, struct peer *p)
{
	peer_close(p);
	pthread_join(v->thread, NULL);
	assert_int_equal(v->result, 0);
	assert_true(fcntl(v->in, F_GETFD) >= 0);
	close(v->in);
}

/* The default: the name of the machine, every limit on. */
static void
test_all_defaults(void **state)
{
	struct smtpd_server *srv = create(NULL);
	struct served v;
	struct peer p;
	char name[256] = "";

	(void)state;
	gethostname(name, sizeof(name) - 1);
	begin_serving(&v, srv, &p);
	assert_int_equal(peer_reply(&p), 220);
	assert_int_equal(strncmp(p.text + 4, name, strlen(name)), 0);
	assert_int_equal(peer_say(&p, "EHLO test.example"), 250);
	assert_non_null(strstr(p.text, "250-SIZE 52428800\n"));
	assert_int_equal(peer_say(&p, "QUIT"), 221);
	end_serving(&v, &p);
	smtpd_server_destroy(srv);
	smtpd_server_destroy(NULL);
}

static void
test_start_needs(void **state)
{
	struct smtpd_server *srv = smtpd_server_create(NULL);

	(void)state;
	assert_int_equal(smtpd_server_start(srv), -1);
	assert_non_null(strstr(smtpd_server_error(srv), "deliver"));
	assert_int_equal(smtpd_server_serve(srv, 0, 1, 0), -1);
	assert_non_null(strstr(smtpd_server_error(srv), "deliver"));
	smtpd_server_set_deliver(srv, callback_take_unread, NULL);
	assert_int_equal(smtpd_server_start(srv), -1);
	assert_non_null(strstr(smtpd_server_error(srv), "listen"));
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(smtpd_server_start(srv), -1);
	assert_string_not_equal(smtpd_server_error(srv), "");
	assert_int_equal(smtpd_server_drain(srv, 0), 0);
	assert_int_equal(smtpd_server_start(srv), -1);
	assert_string_not_equal(smtpd_server_error(srv), "");
	assert_int_equal(smtpd_server_serve(srv, 0, 1, 0), -1);
	assert_string_not_equal(smtpd_server_error(srv), "");
	smtpd_server_destroy(srv);
}

/* RFC 2033, 5: Port 25 is for SMTP alone; and flags that do not go with a
 * session. */
static void
test_flags(void **state)
{
	struct smtpd_server *srv = create(NULL);

	(void)state;
	assert_int_equal(
	    smtpd_server_listen(srv, "[::1]:25", SMTPD_LISTEN_LMTP), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(smtpd_server_error(srv), "LMTP"));
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 1U << 30), -1);
	assert_null(smtpd_server_address(srv, 0));
	assert_int_equal(
	    smtpd_server_listen(srv, "127.0.0.1:0", SMTPD_LISTEN_LMTP), 0);
	assert_int_equal(
	    smtpd_server_serve(srv, 0, 1, SMTPD_LISTEN_ABSENT), -1);
	assert_int_equal(errno, EINVAL);
	smtpd_server_destroy(srv);
}

/* RFC 5321, 4.5.3.1.4; RFC 5321, 4.5.3.1.6; RFC 5321, 4.5.3.1.8: Each setting
 * that has a range: out of it the server does not start. */
static void
test_settings_out_of_range(void **state)
{
	char long_name[300];
	const struct {
		const char *name;
		struct smtpd_settings settings;
	} table[] = {
		{ "hostname", { SMTPD_SETTINGS_INIT, .hostname = "" } },
		{ "hostname",
		    { SMTPD_SETTINGS_INIT, .hostname = "mx example" } },
		{ "hostname",
		    { SMTPD_SETTINGS_INIT,
			.hostname = "mx.example\r\n250 ok" } },
		{ "hostname", { SMTPD_SETTINGS_INIT, .hostname = long_name } },
		{ "max_recipients",
		    { SMTPD_SETTINGS_INIT, .max_recipients = 99 } },
		{ "max_command_line",
		    { SMTPD_SETTINGS_INIT, .max_command_line = 511 } },
		{ "max_command_line",
		    { SMTPD_SETTINGS_INIT, .max_command_line = 16385 } },
		{ "max_command_line",
		    { SMTPD_SETTINGS_INIT,
			.max_command_line = SMTPD_NO_LIMIT } },
		{ "max_text_line",
		    { SMTPD_SETTINGS_INIT, .max_text_line = 999 } },
		{ "errors_soft", { SMTPD_SETTINGS_INIT, .errors_soft = 21 } },
		{ "errors_soft",
		    { SMTPD_SETTINGS_INIT, .errors_soft = 4,
			.errors_hard = 3 } },
		{ "bare_lf",
		    { SMTPD_SETTINGS_INIT,
			.bare_lf = (enum smtpd_treatment)3 } },
		{ "nul",
		    { SMTPD_SETTINGS_INIT, .nul = (enum smtpd_treatment)3 } },
		{ "flags", { SMTPD_SETTINGS_INIT, .flags = 1 << 30 } },
		{ "stack_size", { SMTPD_SETTINGS_INIT, .stack_size = 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(long_name) - 1; i++)
		long_name[i] = i % 2 == 0 ? 'a' : '.';
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct smtpd_server *srv = create(&table[i].settings);

		assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
		if (smtpd_server_start(srv) != -1)
			fail_msg("row %zu: it starts", i);
		assert_non_null(strstr(smtpd_server_error(srv), table[i].name));
		assert_int_equal(smtpd_server_serve(srv, 0, 1, 0), -1);
		assert_non_null(strstr(smtpd_server_error(srv), table[i].name));
		smtpd_server_destroy(srv);
	}
}

static void
test_settings_at_the_edge(void **state)
{
	static const struct smtpd_settings low = {
		SMTPD_SETTINGS_INIT,
		.hostname = "a",
		.max_recipients = 100,
		.max_command_line = 512,
		.max_text_line = 1000,
		.errors_soft = 1,
		.errors_hard = 1,
		.max_connections = 1,
		.max_per_address = 1,
		.max_per_network = 1,
		.max_message_size = 1,
		.max_transactions = 1,
		.tarpit_ms = 1,
		.max_hops = 1,
		.bare_lf = SMTPD_TREAT_REFUSE,
		.nul = SMTPD_TREAT_REPAIR,
	};
	static const struct smtpd_settings high = {
		SMTPD_SETTINGS_INIT,
		.hostname = "[192.0.2.1]",
		.max_connections = SMTPD_NO_LIMIT,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
		.max_recipients = SMTPD_NO_LIMIT,
		.max_message_size = SMTPD_NO_SIZE_LIMIT,
		.max_command_line = 16384,
		.max_text_line = SMTPD_NO_LIMIT,
		.max_transactions = SMTPD_NO_LIMIT,
		.errors_soft = SMTPD_NO_LIMIT,
		.errors_hard = SMTPD_NO_LIMIT,
		.max_hops = SMTPD_NO_LIMIT,
		.idle_timeout_ms = SMTPD_NO_TIMEOUT,
		.command_timeout_ms = SMTPD_NO_TIMEOUT,
		.write_timeout_ms = SMTPD_NO_TIMEOUT,
		.session_timeout_ms = SMTPD_NO_TIMEOUT,
		.min_rate = SMTPD_NO_LIMIT,
		.rate_window_ms = SMTPD_NO_TIMEOUT,
	};
	struct smtpd_server *srv = start(&low);
	struct peer p;

	(void)state;
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	peer_close(&p);
	smtpd_server_destroy(srv);
	srv = start(&high);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_deliver(&p, "b@example.org", "hello"), 250);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

static void
test_registration(void **state)
{
	static const char *const bad_verbs[] = { "", "X-FOO", "X1", "FO O",
		"ABCDEFGHIJKLM", "X\r\n" };
	struct smtpd_server *srv = create(NULL);
	char keyword[601];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_verbs) / sizeof(bad_verbs[0]); i++) {
		const char *verb = bad_verbs[i];

		assert_int_equal(
		    smtpd_server_add_handler(srv, verb, callback_accept, NULL),
		    -1);
		assert_int_equal(
		    smtpd_server_add_verb(srv, verb, 0, callback_accept, NULL),
		    -1);
		assert_string_not_equal(smtpd_server_error(srv), "");
	}
	assert_int_equal(
	    smtpd_server_add_verb(srv, "noop", 0, callback_accept, NULL), -1);
	assert_int_equal(smtpd_server_add_verb(
			     srv, "abcdefghijkl", 0, callback_accept, NULL),
	    0);
	assert_int_equal(smtpd_server_add_verb(
			     srv, "ABCDEFGHIJKL", 0, callback_accept, NULL),
	    -1);
	assert_int_equal(smtpd_server_add_param(srv, "MAIL", "X=Y"), -1);
	assert_int_equal(smtpd_server_add_param(srv, "MAIL", ""), -1);
	assert_int_equal(smtpd_server_add_param(srv, "DATA", "X"), -1);
	assert_int_equal(smtpd_server_add_param(srv, "rcpt", "X-Y"), 0);
	assert_int_equal(smtpd_server_add_keyword(srv, ""), -1);
	assert_int_equal(smtpd_server_add_keyword(srv, "A\r\nB"), -1);
	assert_int_equal(smtpd_server_add_keyword(srv, "\xc3\xa4"), -1);
	memset(keyword, 'X', sizeof(keyword));
	keyword[600] = '\0';
	assert_int_equal(smtpd_server_add_keyword(srv, keyword), -1);
	keyword[300] = '\0';
	assert_int_equal(smtpd_server_add_keyword(srv, keyword), 0);
	assert_int_equal(smtpd_server_add_keyword(srv, keyword), -1);
	keyword[298] = '\0';
	assert_int_equal(smtpd_server_add_keyword(srv, keyword), 0);
	errno = 0;
	assert_int_equal(smtpd_server_add_keyword(srv, "Y"), -1);
	assert_int_equal(errno, ENOSPC);
	smtpd_server_destroy(srv);
}

/* What the handlers of test_session_facts() found out. */
struct facts {
	struct smtpd_server *srv;
	uint64_t id;
	char envelope_id[16];
	char received[1100];
	char received_two[1100];
	char trace[SMTPD_TRACE_MAX], trace_alone[SMTPD_TRACE_MAX];
	int no_room, no_transaction;
	char param[64];
};

static int
look_at_start(struct smtpd_session *s, void *user)
{
	struct facts *f = user;
	char buf[1024];
	socklen_t len = 99;

	assert_ptr_equal(smtpd_session_server(s), f->srv);
	assert_string_equal(smtpd_session_peer(s), "local");
	assert_string_equal(smtpd_session_helo(s), "");
	assert_false(smtpd_session_esmtp(s));
	assert_null(smtpd_session_envelope(s));
	assert_null(smtpd_session_data(s));
	assert_null(smtpd_session_transaction_data(s));
	assert_non_null(smtpd_session_sockaddr(s, &len));
	assert_true(fcntl(smtpd_session_fd(s), F_GETFD) >= 0);
	f->id = smtpd_session_id(s);
	f->no_transaction = smtpd_session_received(s, buf, sizeof(buf));
	assert_int_equal(smtpd_session_trace(s, NULL, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	return 0;
}

static int
look_at_mail(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	struct facts *f = user;
	const char *size = smtpd_params_value(command->params, "SIZE");
	const char *note = smtpd_params_value(command->params, "XNOTE");

	assert_string_equal(command->verb, "MAIL");
	assert_string_equal(smtpd_session_helo(s), "Client.Example");
	assert_true(smtpd_session_esmtp(s));
	assert_int_equal(smtpd_session_id(s), f->id);
	assert_non_null(smtpd_session_envelope(s));
	assert_string_equal(command->address->local, "a b");
	assert_string_equal(command->address->domain, "[192.0.2.1]");
	assert_true(command->address->literal);
	assert_null(smtpd_params_value(command->params, "size"));
	snprintf(f->param, sizeof(f->param), "%s/%s", size, note);
	return 0;
}

static void
look_at_trace(
    struct smtpd_session *s, const struct smtpd_rcpt *rcpt, struct facts *f)
{
	int len = smtpd_session_trace(s, rcpt, f->trace, sizeof(f->trace));
	char buf[SMTPD_TRACE_MAX];

	assert_int_equal(len, strlen(f->trace));
	assert_true(smtpd_session_trace(
			s, NULL, f->trace_alone, sizeof(f->trace_alone)) > 0);
	assert_int_equal(smtpd_session_trace(s, rcpt, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	for (int size = 0; size <= len; size += 10) {
		assert_int_equal(
		    smtpd_session_trace(s, rcpt, buf, (size_t)size), -1);
		assert_int_equal(errno, ERANGE);
	}
}

static int
look_at_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct facts *f = user;

	(void)body;
	assert_ptr_equal(smtpd_session_envelope(s), e);
	snprintf(f->envelope_id, sizeof(f->envelope_id), "%s", e->id);
	assert_int_equal(strlen(e->id), 13);
	f->no_room = smtpd_session_received(s, f->received, 20);
	assert_true(
	    smtpd_session_received(
		s, e->nrcpts == 1 ? f->received : f->received_two, 1024) > 0);
	look_at_trace(s, smtpd_envelope_rcpt(e, 0), f);
	return 0;
}

static void
assert_begins(const char *text, const char *start)
{
	assert_int_equal(strncmp(text, start, strlen(start)), 0);
}

/* A transaction of a session, in which all is looked at. */
static void
run_facts(struct peer *p)
{
	assert_int_equal(peer_reply(p), 220);
	assert_int_equal(peer_say(p, "EHLO Client.Example"), 250);
	assert_int_equal(
	    peer_say(p, "MAIL FROM:<\"a b\"@[192.0.2.1]> size=77 XNOTE"), 250);
	assert_int_equal(peer_say(p, "RCPT TO:<b@example.org>"), 250);
	assert_int_equal(peer_say(p, "DATA"), 354);
	assert_int_equal(peer_say(p, "."), 250);
}

static void
test_session_facts(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
	};
	struct facts f = { 0 };
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = look_at_start,
		.user = &f,
	};
	struct smtpd_server *srv = create(&settings);
	struct served v;
	struct peer p;
	char from[64];

	(void)state;
	f.srv = srv;
	smtpd_server_add_events(srv, &events);
	smtpd_server_add_param(srv, "MAIL", "XNOTE");
	smtpd_server_add_handler(srv, "MAIL", look_at_mail, &f);
	smtpd_server_set_deliver(srv, look_at_message, &f);
	begin_serving(&v, srv, &p);
	run_facts(&p);
	assert_non_null(strstr(p.text, f.envelope_id));
	assert_string_equal(f.param, "77/");
	assert_int_equal(f.no_transaction, -1);
	assert_int_equal(f.no_room, -1);
	assert_int_equal(strncmp(f.received, "Received: from ", 15), 0);
	snprintf(from, sizeof(from), "from Client.Example (local, uid %lu)\r\n",
	    (unsigned long)getuid());
	assert_non_null(strstr(f.received, from));
	assert_non_null(strstr(f.received, "mx.example"));
	assert_non_null(strstr(f.received, f.envelope_id));
	assert_non_null(strstr(f.received, "<b@example.org>"));
	assert_begins(f.trace,
	    "Return-Path: <\"a b\"@[192.0.2.1]>\r\n"
	    "Delivered-To: b@example.org\r\nReceived: from ");
	assert_begins(f.trace_alone,
	    "Return-Path: <\"a b\"@[192.0.2.1]>\r\nReceived: from ");
	end_serving(&v, &p);
	smtpd_server_destroy(srv);
}

/* RFC 5321, 7.2; RFC 5321, 7.6: Two recipients are nobody else's business. */
static void
test_received_names_no_two(void **state)
{
	struct facts f = { 0 };
	struct smtpd_server *srv = create(NULL);
	struct served v;
	struct peer p;

	(void)state;
	smtpd_server_set_deliver(srv, look_at_message, &f);
	begin_serving(&v, srv, &p);
	assert_int_equal(peer_reply(&p), 220);
	assert_int_equal(peer_say(&p, "HELO client.example"), 250);
	assert_int_equal(peer_say(&p, "MAIL FROM:<>"), 250);
	assert_int_equal(peer_say(&p, "RCPT TO:<b@example.org>"), 250);
	assert_int_equal(peer_say(&p, "RCPT TO:<c@example.org>"), 250);
	assert_int_equal(peer_say(&p, "DATA"), 354);
	assert_int_equal(peer_say(&p, "."), 250);
	assert_null(strstr(f.received_two, "@example.org"));
	assert_non_null(strstr(f.received_two, " with SMTP"));
	end_serving(&v, &p);
	smtpd_server_destroy(srv);
}

/* How often something of each lifetime was kept, and got rid of. */
struct lives {
	atomic_int sessions, sessions_gone;
	atomic_int transactions, transactions_gone;
	atomic_int ends, disconnects;
};

static void
count_gone(void *data)
{
	atomic_fetch_add((atomic_int *)data, 1);
}

static int
keep_for_session(struct smtpd_session *s, void *user)
{
	struct lives *l = user;

	atomic_fetch_add(&l->sessions, 1);
	smtpd_session_set_data(s, &l->sessions_gone, count_gone);
	return 0;
}

static int
keep_for_transaction(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	struct lives *l = user;

	atomic_fetch_add(&l->transactions, 1);
	smtpd_session_set_transaction_data(
	    s, &l->transactions_gone, count_gone);
	if (strcmp(command->address->local, "refused") == 0)
		return smtpd_reply(s, 550, "5.7.1", "not you");
	return 0;
}

/* The data is there in the end events, and its destructors come later. */
static void
note_end(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	struct lives *l = user;

	(void)envelope, (void)how, (void)code;
	assert_ptr_equal(
	    smtpd_session_transaction_data(s), &l->transactions_gone);
	assert_int_equal(
	    l->transactions_gone + 1, atomic_load(&l->transactions));
	l->ends++;
}

static void
note_disconnect(struct smtpd_session *s, enum smtpd_close why, void *user)
{
	struct lives *l = user;

	(void)why;
	assert_ptr_equal(smtpd_session_data(s), &l->sessions_gone);
	assert_int_equal(l->sessions_gone, 0);
	l->disconnects++;
}

/* Each way in which a session can end, with the transactions it had, and
 * those of them whose MAIL was accepted. */
static const struct ending {
	const char *text;
	int transactions, accepted;
} endings[] = {
	{ "", 0, 0 },
	{ "EHLO a\r\n", 0, 0 },
	{ "QUIT\r\n", 0, 0 },
	{ "GET / HTTP/1.0\r\n", 0, 0 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\n", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nQUIT\r\n", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nRSET\r\nRSET\r\nQUIT\r\n", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nEHLO a\r\n", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<refused@c>\r\nQUIT\r\n", 1, 0 },
	{ "EHLO a\r\n|MAIL FROM:<refused@c>\r\nMAIL FROM:<>\r\n", 2, 1 },
	{ "EHLO a\r\n|MAIL FROM:<bad\r\nMAIL FROM:<> BAD=1\r\n", 0, 0 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n|x", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n|.\r\n", 1, 1 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n"
	  "|.\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n|\r\r\n.\r\n",
	    2, 2 },
	{ "EHLO a\r\n|MAIL FROM:<>\r\nNOOP\r\nNOOP\r\n", 1, 1 },
};

/* Send the parts of TEXT that bars divide, waiting for 354 or 250 between. */
static void
send_parts(struct peer *p, const char *text)
{
	char part[512];

	peer_reply(p);
	for (;;) {
		size_t len = strcspn(text, "|");

		snprintf(part, sizeof(part), "%.*s", (int)len, text);
		peer_send(p, part);
		text += len;
		if (*text++ == '\0')
			return;
		while (strstr(part, "DATA") != NULL && peer_reply(p) != 354)
			continue;
		if (strstr(part, "DATA") == NULL)
			peer_reply(p);
	}
}

static void
check_ending(const struct ending *e, bool tcp)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
	};
	struct lives l = { 0 };
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = keep_for_session,
		.transaction_end = note_end,
		.disconnect = note_disconnect,
		.user = &l,
	};
	struct smtpd_server *srv = create(&settings);
	struct served v;
	struct peer p;

	smtpd_server_add_events(srv, &events);
	smtpd_server_add_handler(srv, "MAIL", keep_for_transaction, &l);
	if (tcp) {
		assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
		assert_int_equal(smtpd_server_start(srv), 0);
		assert_int_equal(
		    peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
		send_parts(&p, e->text);
		while (e->text[0] != '\0' && l.transactions < e->transactions)
			peer_wait(1);
		/* With the client there, the server ends the session. */
		smtpd_server_destroy(srv);
		peer_close(&p);
	} else {
		begin_serving(&v, srv, &p);
		send_parts(&p, e->text);
		shutdown(p.fd, SHUT_WR);
		while (peer_reply(&p) > 0)
			continue;
		end_serving(&v, &p);
		smtpd_server_destroy(srv);
	}
	assert_int_equal(l.sessions, 1);
	assert_int_equal(l.sessions_gone, 1);
	assert_int_equal(l.disconnects, 1);
	assert_int_equal(l.transactions, e->transactions);
	assert_int_equal(l.transactions_gone, e->transactions);
	assert_int_equal(l.ends, e->accepted);
}

static void
test_lifetimes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		check_ending(&endings[i], false);
		check_ending(&endings[i], true);
	}
}

static atomic_int gone_one, gone_two, gone_three;

static int
replace_data(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)command, (void)user;
	smtpd_session_set_data(s, &gone_one, count_gone);
	assert_int_equal(gone_one, 0);
	smtpd_session_set_data(s, &gone_two, count_gone);
	assert_int_equal(gone_one, 1);
	assert_int_equal(gone_two, 0);
	smtpd_session_set_data(s, NULL, NULL);
	assert_int_equal(gone_two, 1);
	assert_null(smtpd_session_data(s));

	/* No transaction is open: nothing can be kept for one. */
	smtpd_session_set_transaction_data(s, &gone_three, count_gone);
	assert_int_equal(gone_three, 1);
	assert_null(smtpd_session_transaction_data(s));
	return 0;
}

static void
test_data_replaced(void **state)
{
	struct smtpd_server *srv = create(NULL);
	struct served v;
	struct peer p;
	atomic_int gone = 0, gone_again = 0;

	(void)state;
	assert_null(smtpd_server_data(srv));
	assert_int_equal(smtpd_server_set_data(srv, &gone, count_gone), 0);
	assert_ptr_equal(smtpd_server_data(srv), &gone);
	assert_int_equal(
	    smtpd_server_set_data(srv, &gone_again, count_gone), 0);
	assert_int_equal(gone, 1);
	assert_int_equal(gone_again, 0);
	smtpd_server_add_handler(srv, "NOOP", replace_data, NULL);
	begin_serving(&v, srv, &p);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	end_serving(&v, &p);
	assert_int_equal(gone_three, 1);
	smtpd_server_destroy(srv);
	assert_int_equal(gone, 1);
	assert_int_equal(gone_again, 1);
}

static int
read_nothing(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	char c;

	(void)s;
	(void)envelope;
	(void)user;
	for (int i = 0; i < 2; i++) {
		errno = 0;
		assert_int_equal(smtpd_body_read(body, &c, 0), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(smtpd_body_read(body, NULL, 1), -1);
		assert_int_equal(smtpd_body_read(body, &c, 1), 1);
	}
	while (smtpd_body_read(body, &c, 1) > 0)
		continue;
	return 0;
}

/* E24: A read without room is a mistake, and not the end of the message. */
static void
test_read_without_room(void **state)
{
	struct smtpd_server *srv = create(NULL);
	struct served v;
	struct peer p;

	(void)state;
	smtpd_server_set_deliver(srv, read_nothing, NULL);
	begin_serving(&v, srv, &p);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_deliver(&p, "b@example.org", "hello"), 250);
	end_serving(&v, &p);
	smtpd_server_destroy(srv);
}

static int
look_at_pipes(struct smtpd_session *s, void *user)
{
	uid_t uid = 77;

	*(int *)user += smtpd_session_uid(s, &uid) == -1 && uid == 77;
	return 0;
}

/* inetd's way: two descriptors that are no sockets. */
static void
test_serve_on_pipes(void **state)
{
	static const char all[] =
	    "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";
	struct smtpd_server *srv = create(NULL);
	int unknown = 0;
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = look_at_pipes,
		.user = &unknown,
	};
	int up[2], down[2];
	char out[4096];
	ssize_t n;

	(void)state;
	smtpd_server_add_events(srv, &events);
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	assert_int_equal(write(up[1], "QUIT\r\n", 6), 6);
	assert_int_equal(smtpd_server_serve(srv, up[0], down[1], 0), 0);
	assert_int_equal(unknown, 1);
	n = read(down[0], out, sizeof(out) - 1);
	assert_true(n > 0);
	out[n] = '\0';
	assert_non_null(strstr(out, "\r\n221 2.0.0 Bye\r\n"));

	/* The client goes in the middle, its reading end first: no signal. */
	close(down[0]);
	assert_int_equal(write(up[1], all, sizeof(all) - 1), sizeof(all) - 1);
	close(up[1]);
	assert_int_equal(smtpd_server_serve(srv, up[0], down[1], 0), 0);
	assert_true(fcntl(up[0], F_GETFD) >= 0);
	assert_true(fcntl(down[1], F_GETFD) >= 0);
	close(up[0]);
	close(down[1]);
	smtpd_server_destroy(srv);
}

static void
test_serve_on_bad_descriptor(void **state)
{
	struct smtpd_server *srv = create(NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(smtpd_server_serve(srv, fds[0], fds[1], 0), 0);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.connections, 1);
	assert_int_equal(c.connections_now, 0);
	assert_int_equal(c.errors, 1);
	smtpd_server_destroy(srv);
}

static void
test_counters(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.max_message_size = 10,
	};
	struct smtpd_server *srv = start(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT },
				     expected = {
					     SMTPD_SERVER_COUNTERS_INIT,
					     .connections = 2,
					     .messages = 1,
					     .messages_refused = 2,
					     .recipients = 3,
					     .commands = 16,
					     .refused_size = 2,
					     .refused_content = 1,
					     .refused_syntax = 2,
					     .refused_protocol = 1,
					     .threads_now = 3,
				     };
	struct peer p, q;

	(void)state;
	smtpd_server_count(srv, &c);
	assert_int_equal(c.connections, 0);
	assert_int_equal(c.threads_now, 1);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_deliver(&p, "b@example.org", "hello"), 250);
	assert_int_equal(
	    peer_deliver(&p, "b@example.org", "hello, world"), 552);
	assert_int_equal(peer_deliver(&p, "b@example.org", "a\rb"), 550);
	assert_int_equal(peer_say(&p, "MAIL FROM:<> SIZE=11"), 552);
	assert_int_equal(peer_say(&p, "MAIL FROM:<"), 501);
	assert_int_equal(peer_say(&p, "RCPT TO:<b@example.org>"), 503);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.connections_now, 1);
	assert_int_equal(peer_open(&q, smtpd_server_address(srv, 0), NULL), 0);
	assert_int_equal(peer_reply(&q), 220);
	assert_int_equal(peer_say(&q, "GET / HTTP/1.0"), 521);
	assert_int_equal(peer_reply(&q), 0);
	peer_close(&q);
	assert_int_equal(peer_say(&p, "NOOP"), 250);
	assert_int_equal(peer_say(&p, "QUIT"), 221);
	assert_int_equal(peer_reply(&p), 0);
	peer_close(&p);
	do {
		smtpd_server_count(srv, &c);
	} while (c.connections_now != 0);
	assert_true(c.bytes_in > 300 && c.bytes_in < 600);
	assert_true(c.bytes_out > 600 && c.bytes_out < 1200);
	expected.bytes_in = c.bytes_in;
	expected.bytes_out = c.bytes_out;
	assert_memory_equal(&c, &expected, sizeof(c));
	smtpd_server_destroy(srv);
}

/* Lines of the log, all that came. */
struct log {
	pthread_mutex_t lock;
	char text[65536];
	size_t len;
	enum smtpd_log_level highest;
};

static void
take_log(enum smtpd_log_level level, const char *text, void *user)
{
	struct log *l = user;

	pthread_mutex_lock(&l->lock);
	for (const char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			fail_msg("byte %d in a log line", *c);
	if (level > l->highest)
		l->highest = level;
	l->len += (size_t)snprintf(
	    l->text + l->len, sizeof(l->text) - l->len, "%s\n", text);
	assert_true(l->len < sizeof(l->text));
	pthread_mutex_unlock(&l->lock);
}

static int
refuse_with_bytes(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)user;
	return smtpd_reply(
	    s, 550, "5.1.1", "no \r\nfrom \x01%s", command->argument);
}

static void
talk_dirty(struct peer *p)
{
	assert_true(peer_hello(p));
	assert_int_equal(peer_say(p, "NOOP \xff\tfrom=forged"), 250);
	assert_int_equal(peer_say(p, "N\x1b[2J\x07"), 500);
	assert_int_equal(peer_say(p, "NOOP \x01\x7f"), 500);
	assert_int_equal(peer_say(p, "XBAD \xc3\xa4\tb"), 550);
	assert_int_equal(peer_say(p, "MAIL FROM:<\xc3\xa4@a>"), 553);
	assert_int_equal(peer_deliver(p, "b@example.org", "x"), 250);
	assert_int_equal(peer_say(p, "QUIT"), 221);
}

static void
run_log(struct log *l, enum smtpd_log_level level)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.log = take_log,
		.log_user = l,
		.log_level = level,
	};
	struct smtpd_server *srv = create(&settings);
	struct served v;
	struct peer p;

	smtpd_server_add_handler(srv, "XBAD", refuse_with_bytes, NULL);
	begin_serving(&v, srv, &p);
	talk_dirty(&p);
	end_serving(&v, &p);
	smtpd_server_destroy(srv);
}

/* Nothing that a client sends makes a line of its own, or moves a cursor. */
static void
test_log_lines(void **state)
{
	static struct log trace, info, error;

	(void)state;
	pthread_mutex_init(&trace.lock, NULL);
	pthread_mutex_init(&info.lock, NULL);
	pthread_mutex_init(&error.lock, NULL);
	run_log(&trace, SMTPD_LOG_TRACE);
	assert_int_equal(trace.highest, SMTPD_LOG_TRACE);
	assert_non_null(strstr(trace.text, "command=NOOP"));
	assert_non_null(strstr(trace.text, "reply=221"));
	assert_non_null(strstr(trace.text, "code=550"));
	run_log(&info, (enum smtpd_log_level)0);
	assert_int_equal(info.highest, SMTPD_LOG_INFO);
	assert_non_null(strstr(info.text, "code=550"));
	/* E25: One line for a message, and whose mail was refused. */
	assert_non_null(strstr(info.text, "transaction session=1 id="));
	assert_non_null(
	    strstr(info.text, " to=<b@example.org> nrcpt=1 size=3"));
	assert_non_null(strstr(info.text, " code=250 end=delivered\n"));
	assert_non_null(
	    strstr(info.text, "command=MAIL argument=\"FROM:<\\xc3"));
	run_log(&error, SMTPD_LOG_ERROR);
	assert_string_equal(error.text, "");
}

static int
accept_secret(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)s;
	(void)user;
	assert_non_null(strstr(command->argument, "s3cret"));
	return 0;
}

/* E26: Neither of a verb that says so, nor of AUTH, offered or not, nor of a
 * line that is nearly one of these. */
static void
test_secrets_in_the_log(void **state)
{
	static const char *const lines[] = { "XPASS s3cret", "xpass\ts3cret",
		"AUTH PLAIN s3cret", "auth s3cret", "XPASS=s3cret",
		"AUTH\x01s3cret", "auth:s3cret" };
	static const int codes[] = { 250, 250, 502, 502, 500, 500, 500 };
	static struct log log;
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.errors_soft = 100,
		.errors_hard = 100,
		.log = take_log,
		.log_user = &log,
		.log_level = SMTPD_LOG_TRACE,
	};
	struct smtpd_server *srv = create(&settings);
	struct served v;
	struct peer p;

	(void)state;
	pthread_mutex_init(&log.lock, NULL);
	assert_int_equal(smtpd_server_add_verb(srv, "XPASS", SMTPD_VERB_SECRET,
			     accept_secret, NULL),
	    0);
	begin_serving(&v, srv, &p);
	assert_true(peer_hello(&p));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(peer_say(&p, lines[i]), codes[i]);
	assert_int_equal(peer_say(&p, "QUIT"), 221);
	end_serving(&v, &p);
	smtpd_server_destroy(srv);
	assert_non_null(strstr(log.text, "command=XPASS argument=\"***\""));
	assert_null(strstr(log.text, "s3cret"));
}

/* Several servers in one process know nothing of each other. */
static void
test_several_servers(void **state)
{
	enum {
		COUNT = 3
	};
	static const char *const names[COUNT] = { "one.example", "two.example",
		"three.example" };
	struct smtpd_server *srv[COUNT];
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
			.hostname = names[i] };

		srv[i] = start(&settings);
		assert_int_equal(
		    peer_open(&p[i], smtpd_server_address(srv[i], 0), NULL), 0);
		assert_int_equal(peer_reply(&p[i]), 220);
		assert_non_null(strstr(p[i].text, names[i]));
		assert_int_equal(peer_say(&p[i], "EHLO a"), 250);
	}
	for (int i = 0; i < COUNT; i++)
		for (int n = 0; n <= i; n++)
			assert_int_equal(
			    peer_deliver(&p[i], "b@example.org", "x"), 250);
	smtpd_server_destroy(srv[1]);
	assert_int_equal(peer_deliver(&p[0], "b@example.org", "x"), 250);
	smtpd_server_count(srv[0], &c);
	assert_int_equal(c.messages, 2);
	smtpd_server_count(srv[2], &c);
	assert_int_equal(c.messages, 3);
	smtpd_server_destroy(srv[0]);
	smtpd_server_destroy(srv[2]);
	for (int i = 0; i < COUNT; i++)
		peer_close(&p[i]);
}

/* The body, as it came, of the last message. */
static int
keep_body(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	char *text = user;
	size_t len = 0;
	ssize_t n;

	(void)s;
	snprintf(
	    text, 64, "%s|", smtpd_envelope_rcpt(envelope, 0)->address.text);
	len = strlen(text);
	while ((n = smtpd_body_read(body, text + len, 10)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return 0;
}

/* Whoever pauses gives his pages back, and finds everything as it was. */
static void
test_slow_client(void **state)
{
	enum {
		LONG = 2300
	};
	char text[256] = "";
	struct smtpd_server *srv = create(NULL);
	struct peer p;

	(void)state;
	smtpd_server_set_deliver(srv, keep_body, text);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	peer_wait(LONG);
	assert_true(peer_hello(&p));
	peer_wait(LONG);
	assert_int_equal(peer_say(&p, "MAIL FROM:<a@example.com>"), 250);
	peer_send(&p, "RCPT TO:<b@exam");
	peer_wait(LONG);
	assert_int_equal(peer_say(&p, "ple.org>"), 250);
	peer_wait(LONG);
	assert_int_equal(peer_say(&p, "DATA"), 354);
	peer_send(&p, "one\r\ntw");
	peer_wait(LONG);
	peer_send(&p, "o\r\n.");
	peer_wait(LONG);
	assert_int_equal(peer_say(&p, ""), 250);
	assert_string_equal(text, "b@example.org|one\r\ntwo\r\n");
	assert_int_equal(peer_say(&p, "QUIT"), 221);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* A client that never reads is not waited for longer than was said. */
static void
test_write_timeout(void **state)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.write_timeout_ms = 200,
		.errors_soft = SMTPD_NO_LIMIT,
		.errors_hard = SMTPD_NO_LIMIT,
	};
	struct smtpd_server *srv = create(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct served v;
	struct peer p;

	(void)state;
	begin_serving(&v, srv, &p);
	assert_true(peer_hello(&p));
	fcntl(p.fd, F_SETFL, O_NONBLOCK);
	while (c.timeouts == 0) {
		static const char line[] = "SEND\r\nSEND\r\nSEND\r\nSEND\r\n";

		if (send(p.fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
			peer_wait(1);
		smtpd_server_count(srv, &c);
	}
	end_serving(&v, &p);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.timeouts, 1);
	assert_int_equal(c.connections_now, 0);
	smtpd_server_destroy(srv);
}

/* A reset is a client that went, no error of ours. */
static void
test_reset_connection(void **state)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct smtpd_server *srv = start(NULL);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct peer p;

	(void)state;
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(peer_hello(&p));
	assert_true(peer_begin_message(&p));
	setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	peer_close(&p);
	do {
		smtpd_server_count(srv, &c);
	} while (c.connections == 0 || c.connections_now != 0);
	assert_int_equal(c.disconnects, 1);
	assert_int_equal(c.errors, 0);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_defaults),
		cmocka_unit_test(test_start_needs),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_settings_out_of_range),
		cmocka_unit_test(test_settings_at_the_edge),
		cmocka_unit_test(test_registration),
		cmocka_unit_test(test_session_facts),
		cmocka_unit_test(test_received_names_no_two),
		cmocka_unit_test(test_lifetimes),
		cmocka_unit_test(test_data_replaced),
		cmocka_unit_test(test_read_without_room),
		cmocka_unit_test(test_serve_on_pipes),
		cmocka_unit_test(test_serve_on_bad_descriptor),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_log_lines),
		cmocka_unit_test(test_secrets_in_the_log),
		cmocka_unit_test(test_several_servers),
		cmocka_unit_test(test_slow_client),
		cmocka_unit_test(test_write_timeout),
		cmocka_unit_test(test_reset_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
