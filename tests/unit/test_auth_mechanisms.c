/* SPDX-License-Identifier: MIT */
/* What no conversation file can say: the messages of SCRAM are new each time.
 * The client is the library's other end. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "peer.h"
#include "sasl/scram_client.h"
#include "server_callbacks.h"
#include "workspace.h"

#include "test.h"

#define TEXT_SIZE 4096

/* A server with one session, and what it said in its log. */
struct world {
	struct smtpd_server *srv;
	struct smtpd_scram_key key; /* of "joe" with "pencil" */
	struct peer peer;
	pthread_t thread;
	int fd;
	uint32_t iterations; /* of the server's keys; 0: the default */
	bool found;          /* a password in the memory of the session */
	char log[65536];
	size_t log_len;
	char salt[TEXT_SIZE]; /* of the last challenge */
};

static void
take_log(enum smtpd_log_level level, const char *text, void *user)
{
	struct world *w = user;

	(void)level;
	w->log_len += (size_t)snprintf(
	    w->log + w->log_len, sizeof(w->log) - w->log_len, "%s\n", text);
	assert_true(w->log_len < sizeof(w->log));
}

static int
on_auth(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	struct world *w = user;

	if (strcmp(r->user, "joe") != 0)
		return SMTPD_AUTH_REFUSED;
	(void)s;
	*key = w->key;
	return SMTPD_AUTH_KEY;
}

/* Whether a password is left in the memory of the session. */
static int
on_noop(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct world *w = user;

	(void)c;
	w->found = workspace_has(s, "cGVuY2ls");
	return 0;
}

static void *
serve(void *arg)
{
	struct world *w = arg;

	smtpd_server_serve(w->srv, w->fd, w->fd, 0);
	shutdown(w->fd, SHUT_RDWR);
	return NULL;
}

static void
start(struct world *w, const char *secret)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.flags = SMTPD_FLAG_AUTH_WITHOUT_TLS,
		.errors_soft = SMTPD_NO_LIMIT,
		.errors_hard = SMTPD_NO_LIMIT,
		.auth = on_auth,
		.auth_user = w,
		.auth_mechanisms = "SCRAM-SHA-256 PLAIN LOGIN",
		.auth_secret = secret,
		.auth_delay_ms = 1,
		.auth_iterations = w->iterations,
		.max_auth_failures = SMTPD_NO_LIMIT,
		.log = take_log,
		.log_user = w,
		.log_level = SMTPD_LOG_TRACE,
	};
	int pair[2];

	w->log_len = 0;
	w->srv = smtpd_server_create(&settings);
	assert_non_null(w->srv);
	smtpd_server_add_handler(w->srv, "RCPT", callback_accept, NULL);
	smtpd_server_add_handler(w->srv, "NOOP", on_noop, w);
	smtpd_server_set_deliver(w->srv, callback_read_all, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	w->fd = pair[0];
	peer_adopt(&w->peer, pair[1]);
	assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
	assert_true(peer_hello(&w->peer));
}

static void
stop(struct world *w)
{
	assert_int_equal(peer_say(&w->peer, "QUIT"), 221);
	peer_close(&w->peer);
	pthread_join(w->thread, NULL);
	close(w->fd);
	smtpd_server_destroy(w->srv);
}

static int
set_up(void **state)
{
	static struct world world;

	world.key = (struct smtpd_scram_key){ SMTPD_SCRAM_KEY_INIT };
	*state =
	    smtpd_scram_key_make(&world.key, "pencil", 0) == 0 ? &world : NULL;
	return 0;
}

/* Send PREFIX and the base64 of TEXT. */
static int
say_base64(struct world *w, const char *prefix, const char *text)
{
	char line[TEXT_SIZE];
	struct smtpd_text t;

	smtpd__text_init(&t, line, sizeof(line));
	smtpd__text_add(&t, prefix);
	smtpd__base64_encode(&t, text, strlen(text));
	return peer_say(&w->peer, line);
}

/* Decode the challenge that came. */
static void
read_challenge(struct world *w, char *text)
{
	const char *from = w->peer.text + strlen("334 ");
	ssize_t n = smtpd__base64_decode(
	    from, strcspn(from, "\n"), text, SMTPD_SCRAM_MESSAGE_SIZE - 1);

	assert_int_not_equal(n, -1);
	text[n] = '\0';
}

/* Authenticate as USER with PASSWORD.  Return the code of the last reply. */
static int
run_scram(struct world *w, const char *user, const char *password)
{
	char text[SMTPD_SCRAM_MESSAGE_SIZE], out[SMTPD_SCRAM_MESSAGE_SIZE];
	struct smtpd_scram_client c;
	int code;

	assert_int_equal(smtpd__scram_client_begin(&c, user, "abc", out), 0);
	assert_int_equal(say_base64(w, "AUTH SCRAM-SHA-256 ", out), 334);
	read_challenge(w, text);
	snprintf(w->salt, sizeof(w->salt), "%s", strstr(text, ",s="));
	assert_int_equal(
	    smtpd__scram_client_answer(&c, text, password, out), 0);
	code = say_base64(w, "", out);
	if (code != 334)
		return code;
	read_challenge(w, text);
	assert_true(smtpd__scram_client_trusts(&c, text));
	return peer_say(&w->peer, "");
}

/* RFC 7677, 3; RFC 5802, 5 */
static void
scram_proves_who_it_is(void **state)
{
	struct world *w = *state;

	if (w == NULL)
		skip(); /* built without TLS */
	start(w, NULL);
	assert_non_null(
	    strstr(w->peer.text, "AUTH SCRAM-SHA-256 PLAIN LOGIN\n"));
	assert_int_equal(run_scram(w, "joe", "pen"), 535);
	assert_int_equal(run_scram(w, "joe", "pencil"), 235);
	assert_int_equal(peer_say(&w->peer, "AUTH SCRAM-SHA-256"), 503);
	stop(w);
}

/* A stored key is good for a password as well. */
static void
a_key_judges_passwords(void **state)
{
	static const struct {
		const char *line;
		int code;
	} cases[] = {
		{ "AUTH PLAIN AGpvZQBwZW4=", 535 },     /* joe, pen */
		{ "AUTH PLAIN AGpvAHBlbmNpbA==", 535 }, /* jo, pencil */
		{ "AUTH PLAIN AGpvZQBwZW5jaWw=", 235 }, /* joe, pencil */
	};
	struct world *w = *state;

	if (w == NULL)
		skip(); /* built without TLS */
	start(w, NULL);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    peer_say(&w->peer, cases[i].line), cases[i].code);
	stop(w);
}

/* RFC 5802, 9: Nobody learns which users there are. */
static void
nobody_is_like_somebody(void **state)
{
	struct world *w = *state;
	char salt[TEXT_SIZE], other[TEXT_SIZE];

	if (w == NULL)
		skip(); /* built without TLS */
	start(w, "a secret");
	assert_int_equal(run_scram(w, "jo", "pencil"), 535);
	memcpy(salt, w->salt, sizeof(salt));
	assert_int_equal(run_scram(w, "jim", "pencil"), 535);
	memcpy(other, w->salt, sizeof(other));
	assert_string_not_equal(salt, other);
	assert_int_equal(run_scram(w, "jo", "pencils"), 535);
	assert_string_equal(salt, w->salt);
	assert_int_equal(run_scram(w, "joe", "pen"), 535);
	assert_int_equal(strlen(w->salt), strlen(salt));
	stop(w);

	/* The same after a new start, and another without the secret. */
	start(w, "a secret");
	assert_int_equal(run_scram(w, "jo", "pencil"), 535);
	assert_string_equal(salt, w->salt);
	stop(w);
	start(w, NULL);
	assert_int_equal(run_scram(w, "jo", "pencil"), 535);
	assert_string_not_equal(salt, w->salt);
	stop(w);
}

/* Write the first message of a client whose nonce has SIZE bytes to TEXT. */
static void
write_first(char *text, size_t size)
{
	static const char before[] = "n,,n=joe,r=";
	size_t len = strlen(before);

	memcpy(text, before, len);
	memset(text + len, 'x', size);
	text[len + size] = '\0';
}

/* The CPU time of this process, in milliseconds. */
static long
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* RFC 5802, 9: A password for a user that there is not costs as much work as a
 * wrong one for another. */
static void
nobody_takes_as_long_as_somebody(void **state)
{
	static const char *const lines[] = {
		"AUTH PLAIN AGpvZQBwZW4=",     /* joe, pen */
		"AUTH PLAIN AGpvAHBlbmNpbA==", /* jo, pencil */
	};
	const uint32_t iterations = 100000;
	struct world *w = *state;
	struct smtpd_scram_key key;
	long took[COUNT(lines)];

	if (w == NULL)
		skip(); /* built without TLS */
	key = w->key;
	w->iterations = iterations;
	assert_int_equal(
	    smtpd_scram_key_make(&w->key, "pencil", iterations), 0);
	start(w, NULL);
	for (size_t i = 0; i < COUNT(lines); i++) {
		long before = cpu_ms();

		assert_int_equal(peer_say(&w->peer, lines[i]), 535);
		took[i] = cpu_ms() - before;
	}
	assert_true(took[1] >= took[0] / 4);
	stop(w);
	w->iterations = 0;
	w->key = key;
}

/* RFC 4954, 9: What a client sent is not left in memory, also what was no
 * answer, and no command. */
static void
memory_has_no_secrets(void **state)
{
	static const struct {
		const char *lines[3];
		int codes[3];
	} cases[] = {
		{ { "AUTH LOGIN am9l", "cGVuY2lsCg==" }, { 334, 535 } },
		{ { "AUTH LOGIN am9l", "*" }, { 334, 501 } },
		{ { "AUTH PLAIN cGVuY2ls=" }, { 501 } },
		{ { "AUTH PLAIN cGVuY2ls cGVuY2ls" }, { 501 } },
		{ { "AUTH X cGVuY2ls" }, { 504 } },
		{ { " AUTH PLAIN cGVuY2ls" }, { 500 } },
		{ { "auth=PLAIN cGVuY2ls" }, { 500 } },
		{ { "cGVuY2ls" }, { 500 } },
		{ { "AUTH PLAIN", "cGVuY2ls=" }, { 334, 501 } },
		{ { "AUTH LOGIN am9l", "cGVuY2ls" }, { 334, 235 } },
		{ { "AUTH PLAIN AHBlbmNpbABwZW5jaWw=", "cGVuY2ls" },
		    { 503, 500 } },
	};
	struct world *w = *state;

	if (w == NULL)
		skip(); /* built without TLS */
	start(w, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t k = 0; cases[i].lines[k] != NULL; k++)
			assert_int_equal(peer_say(&w->peer, cases[i].lines[k]),
			    cases[i].codes[k]);
		w->found = true;
		assert_int_equal(peer_say(&w->peer, "NOOP"), 250);
		if (w->found)
			fail_msg("left after %s", cases[i].lines[0]);
	}
	stop(w);
}

/* RFC 5802, 7; RFC 9266, 3; RFC 4954, 4: Messages that are none, and an answer
 * to the last one, which takes none. */
static void
scram_is_misused(void **state)
{
	struct world *w = *state;
	char text[SMTPD_SCRAM_MESSAGE_SIZE], out[SMTPD_SCRAM_MESSAGE_SIZE];
	struct smtpd_scram_client c;

	if (w == NULL)
		skip(); /* built without TLS */
	start(w, NULL);
	assert_int_equal(
	    say_base64(w, "AUTH SCRAM-SHA-256 ", "n=joe,r=x"), 501);
	/* A nonce that has no room in the challenge. */
	write_first(text, 512);
	assert_int_equal(say_base64(w, "AUTH SCRAM-SHA-256 ", text), 334);
	assert_int_equal(peer_say(&w->peer, "*"), 501);
	write_first(text, 513);
	assert_int_equal(say_base64(w, "AUTH SCRAM-SHA-256 ", text), 501);
	assert_int_equal(
	    say_base64(w, "AUTH SCRAM-SHA-256 ", "p=tls-unique,,n=joe,r=x"),
	    501);
	assert_int_equal(
	    peer_say(&w->peer, "AUTH SCRAM-SHA-256 AGpvZQ=="), 501);
	assert_int_equal(peer_say(&w->peer, "AUTH SCRAM-SHA-256-PLUS"), 504);
	assert_int_equal(
	    say_base64(w, "AUTH SCRAM-SHA-256 ", "n,,n=joe,r=x"), 334);
	assert_int_equal(say_base64(w, "", "c=biws,r=x,p=AAAA"), 501);
	assert_int_equal(
	    say_base64(w, "AUTH SCRAM-SHA-256 ", "n,a=root,n=joe,r=x"), 334);
	assert_int_equal(peer_say(&w->peer, "*"), 501);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    smtpd__scram_client_begin(&c, "joe", "abc", out), 0);
		assert_int_equal(peer_say(&w->peer, "AUTH SCRAM-SHA-256"), 334);
		assert_int_equal(say_base64(w, "", out), 334);
		read_challenge(w, text);
		assert_int_equal(
		    smtpd__scram_client_answer(&c, text, "pencil", out), 0);
		assert_int_equal(say_base64(w, "", out), 334);
		assert_int_equal(
		    peer_say(&w->peer, i == 0 ? "AAAA" : "*"), 501);
	}
	assert_int_equal(
	    peer_say(&w->peer, "AUTH PLAIN AGpvZQBwZW5jaWw="), 235);
	stop(w);
}

/* Neither passwords nor what is made of them, at any level. */
static void
the_log_has_no_secrets(void **state)
{
	static const char *const secrets[] = { "pencil", "cGVuY2ls",
		"AGpvZQBwZW5jaWw=", "AGpvZQBwZW4=", "bizs",
		",p=", ",i=", "Y2xpZW50", "am9l", "AM9L", "CGVUY2LS" };
	struct world *w = *state;

	if (w == NULL)
		skip(); /* built without TLS */
	start(w, NULL);
	assert_int_equal(
	    peer_say(&w->peer, " AUTH PLAIN AGpvZQBwZW5jaWw="), 500);
	assert_int_equal(peer_say(&w->peer, "cGVuY2ls"), 500);
	assert_int_equal(run_scram(w, "joe", "pen"), 535);
	assert_int_equal(peer_say(&w->peer, "AUTH PLAIN AGpvZQBwZW4="), 535);
	/* Some wait for no reply. */
	assert_int_equal(peer_say(&w->peer, "AUTH X-LOGIN"), 504);
	assert_int_equal(peer_say(&w->peer, "am9l"), 500);
	assert_int_equal(peer_say(&w->peer, "cGVuY2ls"), 500);
	assert_int_equal(peer_say(&w->peer, "cGVuY2lsCg=="), 500);
	assert_int_equal(peer_say(&w->peer, "AUTH LOGIN"), 334);
	assert_int_equal(peer_say(&w->peer, "am9l"), 334);
	assert_int_equal(peer_say(&w->peer, "cGVuY2ls"), 235);
	assert_int_equal(
	    peer_say(&w->peer, "AUTH PLAIN AGpvZQBwZW5jaWw="), 503);
	stop(w);
	for (size_t i = 0; i < COUNT(secrets); i++)
		if (strstr(w->log, secrets[i]) != NULL)
			fail_msg("\"%s\" in %s", secrets[i], w->log);
	assert_non_null(strstr(w->log,
	    "authenticated session=1 peer=local mechanism=LOGIN user=joe\n"));
	assert_non_null(strstr(w->log, "command=AUTH argument=\"***\""));
	assert_non_null(strstr(w->log, "command=*** argument=\"***\""));
	assert_non_null(strstr(w->log, "command=- code=500 "));
	assert_non_null(strstr(w->log, "challenge=\"***\""));
	assert_non_null(strstr(w->log, "answer=\"***\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scram_proves_who_it_is),
		cmocka_unit_test(a_key_judges_passwords),
		cmocka_unit_test(nobody_is_like_somebody),
		cmocka_unit_test(nobody_takes_as_long_as_somebody),
		cmocka_unit_test(scram_is_misused),
		cmocka_unit_test(the_log_has_no_secrets),
		cmocka_unit_test(memory_has_no_secrets),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
