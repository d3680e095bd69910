/* SPDX-License-Identifier: MIT */
/* Replies, as the program and its log see them. */
#include <smtpd.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

#include "test.h"

/* What the log said: lines that begin with "refused", and the last of them. */
struct noted {
	int refused;
	char last[1024];
};

static void
note_line(enum smtpd_log_level level, const char *text, void *user)
{
	struct noted *n = user;

	(void)level;
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

static int
take_unread(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	(void)s, (void)envelope, (void)body, (void)user;
	return 0;
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
	smtpd_server_set_deliver(srv, take_unread, NULL);
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

	smtpd_server_serve(v->srv, v->fd, v->fd);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    refusals_are_logged_up_to_a_number_and_then_summed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
