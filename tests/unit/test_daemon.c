/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "hostname.h"
#include "listen.h"
#include "log.h"
#include "privileges.h"
#include "systemd.h"

#include "test.h"

static void
test_addresses(void **state)
{
	static const struct {
		const char *address;
		unsigned port;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ "192.0.2.1", 25, "192.0.2.1:25" },
		{ "192.0.2.1:2525", 25, "192.0.2.1:2525" },
		{ "192.0.2.1:0", 0, "192.0.2.1:0" },
		{ "2001:db8::1", 25, "[2001:db8::1]:25" },
		{ "::", 25, "[::]:25" },
		{ "[2001:db8::1]", 25, "[2001:db8::1]:25" },
		{ "[2001:db8::1]:26", 25, "[2001:db8::1]:26" },
		{ "fe80::1%eth0", 25, "[fe80::1%eth0]:25" },
		{ "/run/smtpin", 0, "/run/smtpin" },
		{ "/run/a:b", 25, "/run/a:b" },
		{ "192.0.2.1", 0, NULL },
		{ "::1", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[64];
		int result = listen_address(
		    cases[i].address, cases[i].port, buf, sizeof(buf));

		assert_int_equal(result, cases[i].want != NULL ? 0 : -1);
		if (cases[i].want != NULL)
			assert_string_equal(buf, cases[i].want);
	}
}

static void
test_hostnames(void **state)
{
	static const struct {
		const char *name;
		int valid;
	} cases[] = { { "mx.example.org", 1 }, { "localhost", 1 }, { "", 0 },
		{ "a b", 0 }, { "a@b", 0 }, { "-a.example", 0 },
		{ "a..b", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    hostname_is_valid(cases[i].name), cases[i].valid);
}

static int
has_line(const char *path, const char *word)
{
	FILE *file = fopen(path, "r");
	char line[4096];
	int n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		n += strstr(line, word) != NULL;
	fclose(file);
	return n;
}

static void
test_log(void **state)
{
	char path[] = "/tmp/test_daemon.XXXXXX", moved[64], longer[5000];
	struct log *log = log_create(SMTPD_LOG_INFO);

	(void)state;
	assert_non_null(log);
	close(mkstemp(path));
	assert_int_equal(log_to(log, "test", path), 0);
	log_line(log, SMTPD_LOG_INFO, "one %d", 1);
	log_line(log, SMTPD_LOG_DEBUG, "two");
	log_text(SMTPD_LOG_ERROR, "three", log);
	log_line(log, SMTPD_LOG_INFO, "four\nforged\x7f");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_line(log, SMTPD_LOG_INFO, "%s", longer);
	log_line(log, SMTPD_LOG_INFO, "five");
	assert_int_equal(has_line(path, "Z info one 1\n"), 1);
	assert_int_equal(has_line(path, "two"), 0);
	assert_int_equal(has_line(path, "Z error three\n"), 1);
	assert_int_equal(has_line(path, "Z info four?forged?\n"), 1);
	assert_int_equal(has_line(path, "Z info five\n"), 1);

	snprintf(moved, sizeof(moved), "%s.1", path);
	assert_int_equal(rename(path, moved), 0);
	log_line(log, SMTPD_LOG_INFO, "six");
	assert_int_equal(has_line(moved, "six"), 1);
	assert_int_equal(log_reopen(log), 0);
	log_line(log, SMTPD_LOG_INFO, "seven");
	assert_int_equal(has_line(moved, "seven"), 0);
	assert_int_equal(has_line(path, "seven"), 1);
	log_destroy(log);
	unlink(path);
	unlink(moved);
}

/* A log and how many lines each thread is to write to it. */
struct job {
	struct log *log;
	int lines;
};

static void *
write_lines(void *arg)
{
	struct job *job = arg;

	for (int i = 0; i < job->lines; i++)
		log_line(job->log, SMTPD_LOG_INFO, "line of a thread");
	return NULL;
}

/* Threads write while the file is opened anew: no line is lost or torn. */
static void
test_log_threads(void **state)
{
	char path[] = "/tmp/test_daemon.XXXXXX";
	struct job job = { log_create(SMTPD_LOG_INFO), 1000 };
	pthread_t threads[4];

	(void)state;
	close(mkstemp(path));
	assert_int_equal(log_to(job.log, "test", path), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, write_lines, &job), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(log_reopen(job.log), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(has_line(path, "Z info line of a thread\n"), 4000);
	log_destroy(job.log);
	unlink(path);
}

/* Listen where systemd would, at NAME, and compare what comes. */
static void
check_notify(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[32] = "";

	memcpy(at.sun_path, name, strlen(name));
	if (*name == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&at,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    strlen(name))),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(systemd_notify("READY=1"), 0);
	assert_int_equal(recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(buf, "READY=1");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

static void
test_notify(void **state)
{
	char name[64];

	(void)state;
	assert_int_equal(systemd_notify("READY=1"), 0);
	snprintf(name, sizeof(name), "/tmp/test_daemon.%ld", (long)getpid());
	check_notify(name);
	unlink(name);
	snprintf(name, sizeof(name), "@test_daemon.%ld", (long)getpid());
	check_notify(name);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(systemd_notify("READY=1"), -1);
	unsetenv("NOTIFY_SOCKET");
}

static void
test_listen_fds(void **state)
{
	char pid[32];

	(void)state;
	assert_int_equal(systemd_listen_fds(), 0);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(systemd_listen_fds(), 0);
	assert_null(getenv("LISTEN_FDS"));
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", pid, 1);
	assert_int_equal(systemd_listen_fds(), 1);
	assert_int_equal(systemd_listen_fds(), 0);
}

static void
test_unknown_user(void **state)
{
	char why[128];

	(void)state;
	assert_int_equal(
	    privileges_drop("no-such-user-here", why, sizeof(why)), EX_NOUSER);
	assert_string_equal(why, "there is no user \"no-such-user-here\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hostnames),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_threads),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_listen_fds),
		cmocka_unit_test(test_unknown_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
