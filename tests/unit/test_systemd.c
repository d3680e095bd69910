/* SPDX-License-Identifier: MIT */
/* What the daemons and systemd say to each other. */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <smtpd/server.h>

#include "log.h"
#include "peer.h"
#include "systemd.h"
#include "text_list.h"
#include "watchdog.h"

#include "test.h"

/* Bind to NAME, an abstract address with "@", and have the environment say that
 * systemd listens there. */
static int
listen_as_systemd(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, strlen(name));
	if (*name == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* Compare the next that comes at FD with WANT. */
static void
check_state(int fd, const char *want)
{
	char buf[128] = "";

	assert_true(recv(fd, buf, sizeof(buf) - 1, 0) > 0);
	assert_string_equal(buf, want);
}

/* What is told at NAME. */
static void
check_notify(const char *name)
{
	int fd = listen_as_systemd(name);
	struct timespec now;
	char buf[128] = "";
	long long usec;

	assert_int_equal(systemd_notify("READY=1"), 0);
	check_state(fd, "READY=1");
	assert_int_equal(
	    systemd_notify("STATUS=%d connections\nMAINPID=%d", 3, 7), 0);
	check_state(fd, "STATUS=3 connections\nMAINPID=7");

	assert_int_equal(systemd_notify_reloading(), 0);
	assert_true(recv(fd, buf, sizeof(buf) - 1, 0) > 0);
	assert_int_equal(
	    sscanf(buf, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_in_range((long long)now.tv_sec - usec / 1000000, 0, 60);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

static void
test_notify(void **state)
{
	char name[200];

	(void)state;
	assert_int_equal(systemd_notify("READY=1"), 0);
	snprintf(name, sizeof(name), "/tmp/test_systemd.%ld", (long)getpid());
	check_notify(name);
	/* Nobody listens there any more. */
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(systemd_notify("READY=1"), -1);
	assert_int_equal(errno, ECONNREFUSED);
	unlink(name);
	snprintf(name, sizeof(name), "@test_systemd.%ld", (long)getpid());
	check_notify(name);
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(systemd_notify("READY=1"), -1);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(systemd_notify("READY=1"), -1);
	unsetenv("NOTIFY_SOCKET");
}

/* Whether systemd_listen_fds() finds WANT, names with a blank behind each, in
 * COUNT sockets with NAMES that were opened for OWNER. */
static void
check_listen_fds(
    const char *owner, const char *count, const char *names, const char *want)
{
	struct text_list list = { 0 };
	char text[128] = "";

	setenv("LISTEN_PID", owner, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
	assert_int_equal(systemd_listen_fds(getpid(), &list), 0);
	for (size_t i = 0; i < list.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s ", list.items[i]);
	assert_string_equal(text, want);
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDNAMES"));
	text_list_finish(&list);
}

static void
test_listen_fds(void **state)
{
	struct text_list list = { 0 };
	char pid[32];

	(void)state;
	assert_int_equal(systemd_listen_fds(getpid(), &list), 0);
	assert_int_equal(list.count, 0);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	check_listen_fds("1", "1", NULL, "");
	check_listen_fds("", "1", NULL, "");
	check_listen_fds(pid, "1", NULL, " ");
	check_listen_fds(pid, "3", "smtp:smtps:lmtp", "smtp smtps lmtp ");
	check_listen_fds(pid, "2", "smtp:", "smtp  ");
	check_listen_fds(pid, "2", "one", "  ");
	check_listen_fds(pid, "1", "one:two", " ");
	check_listen_fds(pid, "0", "", "");
	check_listen_fds("1", "1001", "", "");
}

/* A number of sockets that cannot be is no reason to open others. */
static void
test_listen_fds_wrong(void **state)
{
	static const char *const counts[] = { "", "-1", "2x", "1001",
		"99999999999999999999" };
	struct text_list list = { 0 };
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", counts[i], 1);
		assert_int_equal(systemd_listen_fds(getpid(), &list), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(list.count, 0);
		assert_null(getenv("LISTEN_FDS"));
	}
}

static void
test_watchdog_time(void **state)
{
	char pid[32];

	(void)state;
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_int_equal(systemd_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "120000000", 1);
	assert_int_equal(systemd_watchdog_ms(), 120000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(systemd_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(systemd_watchdog_ms(), 120000);
	setenv("WATCHDOG_USEC", "1", 1);
	assert_int_equal(systemd_watchdog_ms(), 1);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(systemd_watchdog_ms(), 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* Whether a look at NOW_MS has told systemd, at FD, that all is well. */
static bool
tells(struct watchdog *w, uint64_t now_ms, int fd)
{
	char buf[32] = "";

	assert_true(watchdog_is_due(w, now_ms));
	watchdog_look(w, now_ms);
	assert_false(watchdog_is_due(w, now_ms + w->every_ms - 1));
	return recv(fd, buf, sizeof(buf) - 1, 0) > 0 &&
	    strcmp(buf, "WATCHDOG=1") == 0;
}

static int
accept_nothing(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	(void)s, (void)envelope, (void)body, (void)user;
	return 0;
}

/* A server that accepts nobody is not well once a client has waited from one
 * look to the next; one that nobody wants is. */
static void
test_watchdog(void **state)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example" };
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct log *log = log_create(0);
	char name[64];
	struct watchdog w;
	struct peer p;
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@test_systemd.%ld", (long)getpid());
	fd = listen_as_systemd(name);
	setenv("WATCHDOG_USEC", "20000000", 1);
	smtpd_server_set_deliver(srv, accept_nothing, NULL);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	watchdog_init(&w, srv, log, 1000);
	assert_true(tells(&w, 1000, fd));
	assert_true(tells(&w, 11000, fd));
	assert_int_equal(peer_open(&p, smtpd_server_address(srv, 0), NULL), 0);
	assert_true(tells(&w, 21000, fd));
	assert_false(tells(&w, 31000, fd));
	assert_false(tells(&w, 41000, fd));
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_reply(&p), 220);
	assert_true(tells(&w, 51000, fd));
	peer_close(&p);
	smtpd_server_destroy(srv);
	unsetenv("WATCHDOG_USEC");
	watchdog_init(&w, NULL, log, 1000);
	assert_false(watchdog_is_due(&w, 100000));
	unsetenv("NOTIFY_SOCKET");
	log_destroy(log);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_listen_fds),
		cmocka_unit_test(test_listen_fds_wrong),
		cmocka_unit_test(test_watchdog_time),
		cmocka_unit_test(test_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
