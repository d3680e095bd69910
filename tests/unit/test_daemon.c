/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "hostname.h"
#include "listen.h"
#include "log.h"
#include "privileges.h"
#include "startup.h"

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

/* R21: Sessions tell their reasons at the same time, each in a buffer of its
 * own. */
static void
test_log_reasons(void **state)
{
	char one[LOG_ERROR_SIZE], other[LOG_ERROR_SIZE], small[8];

	(void)state;
	assert_ptr_equal(log_error(10001, one, sizeof(one)), one);
	assert_ptr_equal(log_error(10002, other, sizeof(other)), other);
	assert_non_null(strstr(one, "10001"));
	assert_non_null(strstr(other, "10002"));
	assert_string_equal(log_error(ENOSPC, small, sizeof(small)), "No spac");
	assert_non_null(strstr(log_error(ELOOP, one, sizeof(one)), "link"));
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

/* O23: nobody reads the log: it holds nobody up, and says later how many lines
 * are missing. */
static void
test_log_stuck(void **state)
{
	static char text[1048576];
	char path[64];
	struct log *log = log_create(SMTPD_LOG_INFO);
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_daemon.%ld", (long)getpid());
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(log_to(log, "test", path), 0);
	for (int i = 0; i < 2000; i++)
		log_line(log, SMTPD_LOG_INFO, "%0500d", i);
	assert_true(read(fd, text, sizeof(text)) > 0);
	log_line(log, SMTPD_LOG_INFO, "again");
	memset(text, 0, sizeof(text));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, " warning lost lines of the log: 1"));
	assert_non_null(strstr(text, " info again\n"));
	log_destroy(log);
	close(fd);
	unlink(path);
}

/* O23: the disk is full in the middle of a line. */
static void
test_log_full(void **state)
{
	char path[] = "/tmp/test_daemon.XXXXXX";
	struct log *log = log_create(SMTPD_LOG_INFO);
	struct rlimit before, limit;
	struct stat st;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	close(mkstemp(path));
	assert_int_equal(log_to(log, "test", path), 0);
	log_line(log, SMTPD_LOG_INFO, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)st.st_size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_line(log, SMTPD_LOG_INFO, "two");
	log_line(log, SMTPD_LOG_INFO, "three");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	log_line(log, SMTPD_LOG_INFO, "four");
	log_destroy(log);
	assert_int_equal(has_line(path, "three"), 0);
	assert_int_equal(
	    has_line(path, " warning lost lines of the log: 2"), 1);
	assert_int_equal(has_line(path, "Z info four\n"), 1);
	unlink(path);
}

/* The same as stderr, while BODY runs. */
static void
with_stderr(const char *path, void (*body)(void))
{
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDERR_FILENO);
	close(fd);
	body();
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void
log_to_syslog(void)
{
	struct log *log = log_create(SMTPD_LOG_INFO);

	assert_int_equal(log_to(log, "test", "syslog"), 0);
	log_line(log, SMTPD_LOG_INFO, "a line");
	log_destroy(log);
}

/* O23: without a syslog, lines go to stderr. */
static void
test_log_without_syslog(void **state)
{
	char path[] = "/tmp/test_daemon.XXXXXX";

	(void)state;
	if (access("/dev/log", F_OK) == 0)
		skip();
	close(mkstemp(path));
	with_stderr(path, log_to_syslog);
	assert_int_equal(
	    has_line(path, "warning no syslog listens at /dev/log"), 1);
	assert_int_equal(has_line(path, "Z info a line\n"), 1);
	unlink(path);
}

static void
log_to_journal(void)
{
	struct log *log;
	struct stat st;
	char text[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	log = log_create(SMTPD_LOG_INFO);
	log_line(log, SMTPD_LOG_WARNING, "a warning");
	log_line(log, SMTPD_LOG_INFO, "a line");
	log_destroy(log);
	unsetenv("JOURNAL_STREAM");
}

/* O22: the journal of systemd is told the level. */
static void
test_log_to_journal(void **state)
{
	char path[] = "/tmp/test_daemon.XXXXXX", text[128] = "";
	int fd = mkstemp(path);

	(void)state;
	with_stderr(path, log_to_journal);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "<4>a warning\n<6>a line\n");
	close(fd);
	unlink(path);
}

/* O13: descriptors that are closed at the start, each subset of the three. */
static void
test_startup(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			for (int fd = 0; fd < 3; fd++)
				if (closed & 1U << fd)
					close(fd);
			startup_prepare();
			_exit(open("/dev/null", O_RDONLY) > 2 &&
				    fcntl(0, F_GETFD) != -1 &&
				    fcntl(1, F_GETFD) != -1 &&
				    fcntl(2, F_GETFD) != -1
				? 0
				: 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

/* O4: names that other hosts cannot look up. */
static void
test_short_names(void **state)
{
	char name[HOSTNAME_SIZE];

	(void)state;
	assert_true(hostname_is_full("mx.example.org"));
	assert_false(hostname_is_full("myhost"));
	assert_false(hostname_is_full("localhost"));
	assert_false(hostname_is_full("localhost.localdomain"));
	hostname_own(name);
	assert_true(hostname_is_valid(name));
}

static void
test_unknown_user(void **state)
{
	char why[128];

	(void)state;
	assert_int_equal(
	    privileges_drop("no-such-user-here", false, why, sizeof(why)),
	    EX_NOUSER);
	assert_string_equal(why, "there is no user \"no-such-user-here\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hostnames),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_reasons),
		cmocka_unit_test(test_log_threads),
		cmocka_unit_test(test_log_stuck),
		cmocka_unit_test(test_log_full),
		cmocka_unit_test(test_log_without_syslog),
		cmocka_unit_test(test_log_to_journal),
		cmocka_unit_test(test_startup),
		cmocka_unit_test(test_short_names),
		cmocka_unit_test(test_unknown_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
