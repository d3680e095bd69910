/* SPDX-License-Identifier: MIT */
/* Filters, and the copy of a message that they read. */
#include <smtpd.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "server/message_copy.h"

#include "peer.h"
#include "server_callbacks.h"

#include "test.h"

/* The longest line that a message is sent in, with its end. */
#define LINE 500

/* What a reader has seen of a message. */
struct seen {
	uint64_t octets;
	uint32_t sum;
	int begun, ended;
};

struct chain {
	char directory[64];
	struct seen filters[2];
	struct seen delivered;
	uint64_t room;      /* for all copies; 0: the default */
	const char *logged; /* a part of it */
	bool was_logged;
	int misplaced; /* calls where nothing can be changed that failed */
};

static void
see(struct seen *seen, const void *data, size_t len)
{
	seen->octets += len;
	seen->sum = smtpd__crc32c_short(seen->sum, data, len);
}

static int
on_begin(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct seen *seen = user;

	(void)s;
	(void)e;
	(void)body;
	seen->begun++;
	return 0;
}

static int
on_data(struct smtpd_session *s, struct smtpd_body *body, const void *data,
    size_t len, void *user)
{
	(void)s;
	(void)body;
	see(user, data, len);
	return 0;
}

static int
on_end(struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	struct seen *seen = user;

	(void)s;
	(void)body;
	seen->ended++;
	return 0;
}

/* Calls that are for filters alone. */
static void
try_changes(struct smtpd_session *s, struct chain *c)
{
	c->misplaced +=
	    smtpd_session_add_field(s, "X", "y") == -1 && errno == EINVAL;
	c->misplaced +=
	    smtpd_session_add_rcpt(s, "c@example.org") == -1 && errno == EINVAL;
	c->misplaced +=
	    smtpd_session_remove_rcpt(s, 0) == -1 && errno == EINVAL;
}

static int
on_message(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct chain *c = user;
	char block[1000];
	ssize_t n;

	assert_int_equal(e->nrcpts, 1);
	try_changes(s, c);
	while ((n = smtpd_body_read(body, block, sizeof(block))) > 0)
		see(&c->delivered, block, (size_t)n);
	return n == 0 ? 0 : smtpd_reply(s, 451, "4.3.0", "broken");
}

static void
on_log(enum smtpd_log_level level, const char *line, void *user)
{
	struct chain *c = user;

	if (level == SMTPD_LOG_ERROR && c->logged != NULL &&
	    strstr(line, c->logged) != NULL)
		c->was_logged = true;
}

/* A server with two filters, whose copies are in C's directory. */
static struct smtpd_server *
create(struct chain *c)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.temp_directory = c->directory,
		.max_temp_size = c->room,
		.log = on_log,
		.log_user = c,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	for (size_t i = 0; i < 2; i++) {
		const struct smtpd_filter filter = {
			SMTPD_FILTER_INIT,
			.begin = on_begin,
			.data = on_data,
			.end = on_end,
			.user = &c->filters[i],
		};

		assert_int_equal(smtpd_server_add_filter(srv, &filter), 0);
	}
	assert_int_equal(smtpd_server_add_filter(srv, NULL), -1);
	smtpd_server_set_deliver(srv, on_message, c);
	smtpd_server_add_handler(srv, "RCPT", callback_accept, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	return srv;
}

/* Send a message of SIZE octets, at least 2; return the code of the reply. */
static int
send_message(struct peer *p, size_t size, struct seen *sent)
{
	char line[LINE + 1];
	size_t n = 0;

	*sent = (struct seen){ 0 };
	assert_true(peer_begin_message(p));
	while (size > 0) {
		size_t len = size < LINE + 2 ? size : LINE;

		memset(line, 'a' + (int)(n++ % 26), len);
		snprintf(line + len - 2, 3, "\r\n");
		peer_send(p, line);
		see(sent, line, len);
		size -= len;
	}
	return peer_say(p, ".");
}

static size_t
count_files(const char *directory)
{
	DIR *dir = opendir(directory);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void
check_seen(const struct seen *seen, const struct seen *sent)
{
	assert_int_equal(seen->octets, sent->octets);
	assert_int_equal(seen->sum, sent->sum);
}

/* Below, at and above what is kept in memory. */
static void
all_see_the_same(void **state)
{
	static const size_t sizes[] = { 2, 4096, 4098,
		SMTPD_MESSAGE_COPY_MEMORY - 2, SMTPD_MESSAGE_COPY_MEMORY,
		SMTPD_MESSAGE_COPY_MEMORY + 2, 3 * SMTPD_MESSAGE_COPY_MEMORY,
		1000000 };
	struct chain c = { .directory = "/tmp/filters-XXXXXX" };
	struct smtpd_server *srv;
	struct seen sent;
	struct peer p;

	(void)state;
	assert_non_null(mkdtemp(c.directory));
	srv = create(&c);
	assert_true(peer_get_in(&p, smtpd_server_address(srv, 0), NULL));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(c.filters, 0, sizeof(c.filters));
		c.delivered = (struct seen){ 0 };
		c.misplaced = 0;
		assert_int_equal(send_message(&p, sizes[i], &sent), 250);
		for (size_t k = 0; k < 2; k++) {
			check_seen(&c.filters[k], &sent);
			assert_int_equal(c.filters[k].begun, 1);
			assert_int_equal(c.filters[k].ended, 1);
		}
		check_seen(&c.delivered, &sent);
		assert_int_equal(c.misplaced, 3);
		/* The file has no name, not even for a moment. */
		assert_int_equal(count_files(c.directory), 0);
	}
	peer_close(&p);
	smtpd_server_destroy(srv);
	assert_int_equal(rmdir(c.directory), 0);
}

/* A message that cannot be kept is refused for now, and the next is welcome. */
static void
no_room_is_our_trouble(void **state)
{
	struct chain c = {
		.directory = "/tmp/filters-absent",
		.logged = "cannot keep a message for its filters: No such file",
	};
	struct smtpd_server *srv = create(&c);
	struct seen sent;
	struct peer p;

	(void)state;
	assert_true(peer_get_in(&p, smtpd_server_address(srv, 0), NULL));
	assert_int_equal(
	    send_message(&p, SMTPD_MESSAGE_COPY_MEMORY + 2, &sent), 451);
	assert_non_null(strstr(p.text, "4.3.0"));
	assert_true(c.was_logged);
	assert_int_equal(c.filters[0].ended, 1);
	assert_int_equal(c.filters[1].begun, 0);
	assert_int_equal(c.delivered.octets, 0);
	assert_int_equal(
	    send_message(&p, SMTPD_MESSAGE_COPY_MEMORY, &sent), 250);
	check_seen(&c.delivered, &sent);
	peer_close(&p);
	smtpd_server_destroy(srv);
}

/* Files of all messages have a bound, and what one had is given back. */
static void
room_is_shared(void **state)
{
	struct chain c = {
		.directory = "/tmp/filters-XXXXXX",
		.room = 100000,
		.logged = "for its filters: No space left on device",
	};
	const size_t fits = SMTPD_MESSAGE_COPY_MEMORY + 100000;
	struct smtpd_server *srv;
	struct seen sent;
	struct peer p;

	(void)state;
	assert_non_null(mkdtemp(c.directory));
	srv = create(&c);
	assert_true(peer_get_in(&p, smtpd_server_address(srv, 0), NULL));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send_message(&p, fits, &sent), 250);
		assert_int_equal(send_message(&p, fits + 2, &sent), 452);
		assert_non_null(strstr(p.text, "4.3.1"));
	}
	assert_true(c.was_logged);
	peer_close(&p);
	smtpd_server_destroy(srv);
	assert_int_equal(rmdir(c.directory), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_see_the_same),
		cmocka_unit_test(no_room_is_our_trouble),
		cmocka_unit_test(room_is_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
