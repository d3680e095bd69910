/* SPDX-License-Identifier: MIT */
/* For syscall() and memmem(). */
#define _GNU_SOURCE
#include <smtpd/queue.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/clock.h"
#include "queue/control/protocol.h"

#include "test.h"

/* More than one part of a list. */
#define MANY 1100

/* A queue whose mail is all held, so that no worker touches it. */
struct world {
	char root[64];
	char dir[512];
	struct smtpd_queue *queue;
	char id[SMTPD_QUEUE_ID_SIZE]; /* of what was added last */

	char *text; /* the last answer */
	size_t len, size;
	char error[512];
};

static int
hear(void *user, const void *data, size_t len)
{
	struct world *w = user;

	if (len >= w->size - w->len) {
		w->size = (w->len + len + 1) * 2;
		w->text = realloc(w->text, w->size);
		assert_non_null(w->text);
	}
	memcpy(w->text + w->len, data, len);
	w->len += len;
	w->text[w->len] = '\0';
	return 0;
}

/* Ask; return 0 or the errno. */
static int
ask(struct world *w, const char *a, const char *b, const char *c)
{
	const char *const words[] = { a, b, c };
	size_t count = b == NULL ? 1 : c == NULL ? 2 : 3;

	w->len = 0;
	hear(w, "", 0);
	return smtpd_queue_ask(w->dir, words, count, hear, w, w->error,
		   sizeof(w->error)) == 0
	    ? 0
	    : errno;
}

static void
open_queue(struct world *w, bool start)
{
	const struct smtpd_resolver_settings resolver = {
		SMTPD_RESOLVER_SETTINGS_INIT, .servers = "127.0.0.1:1"
	};
	const struct smtpd_queue_settings settings = {
		SMTPD_QUEUE_SETTINGS_INIT,
		.hostname = "out.example.org",
		.resolver = &resolver,
		.segment_size = 1048576,
		.min_free = 1,
	};

	w->queue =
	    smtpd_queue_open(w->dir, &settings, w->error, sizeof(w->error));
	if (w->queue == NULL)
		fail_msg("%s", w->error);
	if (start &&
	    smtpd_queue_start(w->queue, w->error, sizeof(w->error)) == -1)
		fail_msg("%s", w->error);
}

static void
close_queue(struct world *w)
{
	smtpd_queue_close(w->queue);
	w->queue = NULL;
}

static void
add(struct world *w, const char *rcpt, const char *body, size_t len)
{
	const struct smtpd_outgoing_rcpt rcpts[] = { { SMTPD_OUTGOING_RCPT_INIT,
							 .address = rcpt },
		{ .address = "bob@two.example" } };
	const struct smtpd_outgoing_envelope envelope = {
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "ann@example.org",
		.rcpts = rcpts,
		.nrcpts = 2,
		.envid = "x+2B",
	};
	const struct smtpd_queue_options options = {
		SMTPD_QUEUE_OPTIONS_INIT,
		.hold = true,
	};
	struct smtpd_queue_message *d =
	    smtpd_queue_begin(w->queue, &envelope, &options);
	static const char header[] = "Subject: test\r\n\r\n";

	assert_non_null(d);
	assert_int_equal(smtpd_queue_write(d, header, strlen(header)), 0);
	assert_int_equal(smtpd_queue_write(d, body, len), 0);
	assert_int_equal(smtpd_queue_commit(d, w->id), 0);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->root, sizeof(w->root), "/tmp/smtpd-control.XXXXXX");
	if (w == NULL || mkdtemp(w->root) == NULL)
		return -1;
	snprintf(w->dir, sizeof(w->dir), "%s/queue", w->root);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	smtpd_queue_close(w->queue);
	snprintf(command, sizeof(command), "rm -rf '%s'", w->root);
	free(w->text);
	free(w);
	return system(command) == 0 ? 0 : -1;
}

static size_t
count_lines(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->len; i++)
		n += w->text[i] == '\n';
	return n;
}

static void
assert_says(const struct world *w, const char *what)
{
	if (strstr(w->text, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, w->text);
}

/* All that only reads, of one held message. */
static void
check_reading(struct world *w)
{
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
	assert_int_equal(count_lines(w), 3);
	assert_says(w, w->id);
	assert_says(w, "held ");
	assert_says(w, "<ann@example.org> > ");
	assert_says(w, "(+1)\n1 message, ");
	assert_int_equal(ask(w, "list", "--json", NULL), 0);
	assert_int_equal(count_lines(w), 1);
	assert_says(w, "{\"id\":\"");
	assert_says(w, "\"sender\":\"ann@example.org\",\"size\":");
	assert_says(w, "\"state\":\"held\",\"next\":null,\"reason\":null");
	assert_says(w, "\"envid\":\"x+2B\",\"recipients\":[");
	assert_says(w,
	    "{\"address\":\"bob@two.example\",\"notify\":null,"
	    "\"orcpt\":null,\"state\":\"held\","
	    "\"attempts\":0,\"next\":null,\"code\":null,\"status\":null,"
	    "\"reply\":null,\"host\":null}");
	assert_int_equal(ask(w, "show", w->id, NULL), 0);
	assert_says(w, "envid:     x+2B\n");
	assert_says(w, "<bob@two.example> held\n");
	assert_int_equal(ask(w, "show", "--json", w->id), 0);
	assert_says(w, "\"recipients\":[");
	assert_int_equal(ask(w, "why", w->id, NULL), 0);
	assert_says(w, "tried:     never\n");
	assert_int_equal(ask(w, "why", w->id, "--json"), 0);
	assert_says(w, "\"destinations\":[{\"domain\":\"");
	assert_says(w, "\"history\":[]");
	assert_int_equal(ask(w, "cat", w->id, NULL), 0);
	assert_string_equal(w->text, "Subject: test\r\n\r\nhello\r\n");
	assert_int_equal(ask(w, "check", NULL, NULL), 0);
	assert_says(w, "1 message intact, 0 damaged");
}

static void
mistakes_are_told(struct world *w)
{
	static const struct {
		const char *a, *b, *c;
		int error;
	} cases[] = {
		{ "dance", NULL, NULL, EINVAL },
		{ "", NULL, NULL, EINVAL },
		{ "list", "x", NULL, EINVAL },
		{ "list", "@x", NULL, EINVAL },
		{ "list", "@1,2", NULL, EINVAL },
		{ "show", NULL, NULL, EINVAL },
		{ "show", "--yaml", NULL, EINVAL },
		{ "show", "0000000000000", "0000000000001", EINVAL },
		{ "show", "0000000000000", NULL, ENOENT },
		{ "show", "x", NULL, ENOENT },
		{ "cat", "0000000000000", NULL, ENOENT },
		{ "why", "0000000000000", NULL, ENOENT },
		{ "hold", "0000000000000", NULL, ENOENT },
		{ "release", "0000000000000", NULL, ENOENT },
		{ "remove", "0000000000000", NULL, ENOENT },
		{ "flush", "nowhere.example", NULL, ENOENT },
		{ "export", NULL, NULL, EINVAL },
		{ "show", "a\nb", NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int error = ask(w, cases[i].a, cases[i].b, cases[i].c);

		if (cases[i].error != 0)
			assert_int_equal(error, cases[i].error);
		else
			assert_true(error == EINVAL || error == ENOENT);
		assert_true(strlen(w->error) > 0);
	}
	assert_int_equal(ask(w, "hold", NULL, NULL), EINVAL);
	assert_string_equal(
	    w->error, "hold: needs a message id, a domain or an address");
}

/* Hold, release, flush and remove; what is left is as before, but for that. */
static void
check_changing(struct world *w)
{
	assert_int_equal(ask(w, "flush", w->id, NULL), EBUSY);
	assert_int_equal(ask(w, "flush", NULL, NULL), 0);
	assert_string_equal(
	    w->text, "flushed 0 messages; 1 held in all: release first\n");
	assert_int_equal(ask(w, "release", w->id, NULL), 0);
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
	assert_null(strstr(w->text, "held"));
	assert_int_equal(ask(w, "flush", "TWO.example", NULL), 0);
	assert_string_equal(w->text, "flushed 1 message\n");
	assert_int_equal(ask(w, "hold", w->id, NULL), 0);
	assert_int_equal(ask(w, "show", w->id, NULL), 0);
	assert_int_equal(ask(w, "remove", w->id, NULL), 0);
	assert_int_equal(ask(w, "remove", w->id, NULL), ENOENT);
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
	assert_says(w, "\n0 messages, 0 bytes\n");
}

static void
a_running_queue_answers(void **state)
{
	struct world *w = *state;

	open_queue(w, true);
	add(w, "carl@one.example", "hello\r\n", 7);
	check_reading(w);
	mistakes_are_told(w);
	check_changing(w);
}

static void
one_that_nobody_runs_does_too(void **state)
{
	struct world *w = *state;

	open_queue(w, false);
	add(w, "carl@one.example", "hello\r\n", 7);
	close_queue(w);
	check_reading(w);
	mistakes_are_told(w);
	check_changing(w);
}

/* Append names, sizes and times of what is in DIR, and below, to TEXT. */
static void
describe_tree(const char *dir, char *text, size_t size)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[1024];
		struct stat st;
		size_t len = strlen(text);

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) == -1)
			continue;
		snprintf(text + len, size - len, "%s %lld %lld.%09ld\n",
		    e->d_name, (long long)st.st_size,
		    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		if (S_ISDIR(st.st_mode))
			describe_tree(path, text, size);
	}
	closedir(d);
}

static void
reading_never_writes(void **state)
{
	struct world *w = *state;
	char before[8192] = "", after[8192] = "";

	open_queue(w, false);
	add(w, "carl@one.example", "hello\r\n", 7);
	close_queue(w);
	describe_tree(w->dir, before, sizeof(before));
	check_reading(w);
	describe_tree(w->dir, after, sizeof(after));
	assert_string_equal(before, after);
}

static void
a_queue_in_use_is_not_changed_from_outside(void **state)
{
	struct world *w = *state;

	open_queue(w, false);
	add(w, "carl@one.example", "hello\r\n", 7);
	check_reading(w);
	assert_int_equal(ask(w, "remove", w->id, NULL), EBUSY);
	assert_int_equal(ask(w, "show", w->id, NULL), 0);
}

static int
ignore(void *user, const void *data, size_t len)
{
	(void)user;
	(void)data;
	(void)len;
	return 0;
}

static void
there_must_be_a_queue(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "list", NULL, NULL), ENOTDIR);
	assert_int_equal(ask(w, "remove", "0000000000000", NULL), ENOTDIR);
	assert_int_equal(access(w->dir, F_OK), -1);
}

static void
what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *words[2];
		size_t count;
	} cases[] = {
		{ { NULL }, 0 },
		{ { NULL }, 1 },
		{ { "" }, 1 },
		{ { "list\n" }, 1 },
		{ { "list", NULL }, 2 },
		{ { "hold", "a\x1b" }, 2 },
	};
	struct world *w = *state;
	char error[100] = "";

	for (size_t i = 0; i < COUNT(cases); i++) {
		errno = 0;
		if (smtpd_queue_ask(w->dir, cases[i].words, cases[i].count,
			ignore, NULL, error, sizeof(error)) != -1 ||
		    errno != EINVAL || error[0] == '\0')
			fail_msg("%zu", i);
	}
	assert_int_equal(
	    smtpd_queue_ask(w->dir, NULL, 1, ignore, NULL, NULL, 0), -1);
	assert_int_equal(smtpd_queue_ask(NULL, (const char *[]){ "list" }, 1,
			     ignore, NULL, NULL, 0),
	    -1);
	assert_int_equal(smtpd_queue_ask(w->dir, (const char *[]){ "list" }, 1,
			     NULL, NULL, NULL, 0),
	    -1);
	assert_int_equal(smtpd_queue_ask(w->dir, (const char *[]){ "list" }, 1,
			     ignore, NULL, NULL, 0),
	    -1);
	assert_int_equal(errno, ENOTDIR);
}

static size_t
count_files(const char *dir)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, ".eml") != NULL;
	closedir(d);
	return n;
}

static void
long_lists_come_in_parts(void **state)
{
	struct world *w = *state;
	char out[128], totals[64];

	open_queue(w, true);
	for (int i = 0; i < MANY; i++)
		add(w, "carl@one.example", "hello\r\n", 7);
	snprintf(totals, sizeof(totals), "\n%d messages, %d bytes: %d held\n",
	    MANY, MANY * 24, MANY);
	snprintf(out, sizeof(out), "%s/out", w->root);
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
	assert_int_equal(count_lines(w), MANY + 2);
	assert_says(w, totals);
	assert_int_equal(ask(w, "list", "--json", NULL), 0);
	assert_int_equal(count_lines(w), MANY);
	assert_int_equal(ask(w, "export", out, NULL), 0);
	assert_int_equal(count_files(out), MANY);
	assert_int_equal(ask(w, "export", out, NULL), EEXIST);
	close_queue(w);
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
	assert_int_equal(count_lines(w), MANY + 2);
	assert_says(w, totals);
}

static void
a_large_message_comes_whole(void **state)
{
	struct world *w = *state;
	size_t len = 3000000, header = strlen("Subject: test\r\n\r\n");
	char *body = malloc(len);

	assert_non_null(body);
	for (size_t i = 0; i < len; i++)
		body[i] = i % 64 == 62 ? '\r'
		    : i % 64 == 63     ? '\n'
				       : (char)('a' + i / 64 % 26);
	open_queue(w, true);
	add(w, "carl@one.example", body, len);
	assert_int_equal(ask(w, "cat", w->id, NULL), 0);
	assert_int_equal(w->len, header + len);
	assert_memory_equal(w->text + header, body, len);
	close_queue(w);
	assert_int_equal(ask(w, "cat", w->id, NULL), 0);
	assert_int_equal(w->len, header + len);
	assert_memory_equal(w->text + header, body, len);
	free(body);
}

/* The file that cannot be read; 0: none. */
static _Atomic ino_t bad_file;

ssize_t
pread(int fd, void *data, size_t len, off_t offset)
{
	struct stat st;

	if (bad_file != 0 && fstat(fd, &st) == 0 && st.st_ino == bad_file) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, data, len, offset);
}

static void
one_bad_sector_ends_no_export(void **state)
{
	struct world *w = *state;
	size_t len = 3000000;
	char *body = malloc(len), path[600], says[128];
	struct stat st;

	assert_non_null(body);
	for (size_t i = 0; i < len; i++)
		body[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'a';
	open_queue(w, true);
	add(w, "carl@one.example", body, len);
	free(body);
	snprintf(path, sizeof(path), "%s/large/%s", w->dir, w->id);
	assert_int_equal(stat(path, &st), 0);
	snprintf(says, sizeof(says), "%s: %s\nexported 1 message\n", w->id,
	    strerror(EIO));
	add(w, "carl@one.example", "hello\r\n", 7);
	bad_file = st.st_ino;
	snprintf(path, sizeof(path), "%s/out", w->root);
	assert_int_equal(ask(w, "export", path, NULL), EIO);
	bad_file = 0;
	assert_string_equal(w->text, says);
	assert_string_equal(w->error, "1 message skipped that cannot be read");
	assert_int_equal(count_files(path), 1);
}

static void
the_socket_may_lie_deep(void **state)
{
	struct world *w = *state;
	char socket_path[600];
	struct stat st;
	int fd;

	for (int i = 0; i < 6; i++) {
		snprintf(w->dir + strlen(w->dir),
		    sizeof(w->dir) - strlen(w->dir), "%s%042d",
		    i == 0 ? "-" : "/", i);
		assert_int_equal(mkdir(w->dir, 0700), 0);
	}
	/* What a process has left that was killed. */
	snprintf(socket_path, sizeof(socket_path), "%s/control", w->dir);
	fd = open(socket_path, O_CREAT | O_WRONLY, 0644);
	assert_true(fd != -1);
	close(fd);
	open_queue(w, true);
	assert_int_equal(stat(socket_path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	add(w, "carl@one.example", "hello\r\n", 7);
	check_reading(w);
	close_queue(w);
	assert_int_equal(stat(socket_path, &st), -1);
	check_reading(w);
}

/* A connection to the queue's process. */
static int
reach(struct world *w)
{
	int dir = open(w->dir, O_RDONLY | O_DIRECTORY);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a;

	smtpd__control_protocol_address(dir, &a);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	close(dir);
	return fd;
}

/* A process that has the queue, and answers as it likes. */
struct liar {
	int listener;
	_Atomic(const char *) ids; /* the answer to "ids" */
};

static void *
answer_lies(void *arg)
{
	struct liar *l = arg;
	int fd;

	while ((fd = accept(l->listener, NULL, NULL)) != -1) {
		char line[256];
		ssize_t n = recv(fd, line, sizeof(line), 0);
		const char *answer = n >= 3 && memcmp(line, "ids", 3) == 0
		    ? atomic_load(&l->ids)
		    : "hello\n";

		if (n > 0)
			dprintf(fd, "+%zu\n%s=0 \n", strlen(answer), answer);
		close(fd);
	}
	return NULL;
}

/* S34: an export makes no file of what is no id. */
static void
no_file_has_a_name_that_is_no_id(void **state)
{
	static const char *const lies[] = { "../../evil\n", "..\n", "\n", "/\n",
		"evil\n", "1M8M1R9HYXPT0/\n", "1M8M1R9HYXPT00\n",
		"1M8M1R9HYXPT0\n../../evil\n" };
	struct sockaddr_un a;
	struct world *w = *state;
	struct liar l;
	pthread_t thread;
	char out[128], evil[128];
	int dir;

	assert_int_equal(mkdir(w->dir, 0700), 0);
	dir = open(w->dir, O_RDONLY | O_DIRECTORY);
	smtpd__control_protocol_address(dir, &a);
	l.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(l.listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(l.listener, 8), 0);
	pthread_create(&thread, NULL, answer_lies, &l);
	snprintf(out, sizeof(out), "%s/deep", w->root);
	assert_int_equal(mkdir(out, 0700), 0);
	for (size_t i = 0; i < COUNT(lies); i++) {
		atomic_store(&l.ids, lies[i]);
		snprintf(out, sizeof(out), "%s/deep/%zu", w->root, i);
		assert_int_equal(ask(w, "export", out, NULL), EPROTO);
		assert_int_equal(count_files(out), i == COUNT(lies) - 1);
	}
	snprintf(evil, sizeof(evil), "%s/evil.eml", w->root);
	assert_int_equal(access(evil, F_OK), -1);
	shutdown(l.listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(l.listener);
	close(dir);
}

static void
strange_clients_do_no_harm(void **state)
{
	static const char *const requests[] = { "", "\n", "list", "\0\0\0\n",
		"1\0002\0003\0004\0005\0006\0007\0008\0009\n" };
	static const size_t lengths[] = { 0, 1, 4, 4, 18 };
	struct world *w = *state;
	char answer[256];

	open_queue(w, true);
	add(w, "carl@one.example", "hello\r\n", 7);
	for (size_t i = 0; i < 5; i++) {
		int fd = reach(w);
		ssize_t n;

		assert_int_equal(
		    send(fd, requests[i], lengths[i], MSG_NOSIGNAL),
		    lengths[i]);
		shutdown(fd, SHUT_WR);
		n = recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL);
		assert_true(n >= 0);
		answer[n] = '\0';
		if (i == 1 || i >= 3)
			assert_memory_equal(answer, "=22 ", 4);
		else
			assert_string_equal(answer, "");
		close(fd);
	}
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
}

static void
a_silent_client_delays_no_end(void **state)
{
	struct world *w = *state;
	uint64_t begun;
	int fd;

	open_queue(w, true);
	fd = reach(w);
	assert_int_equal(send(fd, "li", 2, MSG_NOSIGNAL), 2);
	begun = smtpd__clock_ms();
	close_queue(w);
	assert_true(smtpd__clock_ms() - begun < 5000);
	close(fd);
}

/* S37: a list reads no content, and so does not see that it is damaged. */
static void
a_list_reads_no_content(void **state)
{
	struct world *w = *state;
	char path[600], bytes[65536];
	const char *at;
	ssize_t n;
	int fd;

	open_queue(w, true);
	add(w, "ann@one.example", "to be damaged\r\n", 15);
	snprintf(path, sizeof(path), "%s/log/00000001.log", w->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(n > 0);
	at = memmem(bytes, (size_t)n, "to be damaged", 13);
	assert_non_null(at);
	assert_int_equal(pwrite(fd, "!", 1, at - bytes), 1);
	close(fd);
	assert_int_equal(ask(w, "list", NULL, NULL), 0);
	assert_says(w, "<ann@example.org> > ann@one.example (+1)\n");
	assert_int_equal(ask(w, "show", w->id, NULL), 0);
	assert_says(w, "damaged:   ");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_running_queue_answers),
		TEST(one_that_nobody_runs_does_too),
		TEST(reading_never_writes),
		TEST(a_queue_in_use_is_not_changed_from_outside),
		TEST(there_must_be_a_queue),
		TEST(what_is_no_request_is_refused),
		TEST(long_lists_come_in_parts),
		TEST(a_large_message_comes_whole),
		TEST(a_list_reads_no_content),
		TEST(one_bad_sector_ends_no_export),
		TEST(the_socket_may_lie_deep),
		TEST(no_file_has_a_name_that_is_no_id),
		TEST(strange_clients_do_no_harm),
		TEST(a_silent_client_delays_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
