/* SPDX-License-Identifier: MIT */
#include "recheck.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* How long it may take. */
#define TIMEOUT_S 30

/* As much as is looked at of what it says. */
#define SAID_SIZE 8192

extern char **environ;

/* Run ARGV with --check, in front of what may follow a "--", OUT being its
 * standard error. */
static int
spawn_check(char *const *argv, int out, pid_t *pid)
{
	static char option[] = "--check";
	posix_spawn_file_actions_t actions;
	size_t n = 0;
	char **more;
	int error;

	while (argv[n] != NULL)
		n++;
	more = calloc(n + 2, sizeof(*more));
	if (more == NULL)
		return ENOMEM;
	more[0] = argv[0];
	more[1] = option;
	memcpy(more + 2, argv + 1, (n - 1) * sizeof(*more));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	error = posix_spawnp(pid, more[0], &actions, NULL, more, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(more);
	return error;
}

static time_t
monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Read what comes from FD into BUF of SIZE bytes, until its end.  Return false
 * when that does not come in time. */
static bool
read_all(int fd, char *buf, size_t size)
{
	time_t end = monotonic_s() + TIMEOUT_S;
	char rest[512];
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		bool full = len + 1 >= size;
		ssize_t n;

		if (monotonic_s() > end)
			return false;
		if (poll(&p, 1, 1000) <= 0)
			continue;
		n = read(fd, full ? rest : buf + len,
		    full ? sizeof(rest) : size - 1 - len);
		if (n == 0)
			break;
		if (n > 0 && !full)
			len += (size_t)n;
	}
	buf[len] = '\0';
	return true;
}

/* Log, behind OUTCOME, the lines of TEXT that are complaints, "program: what is
 * wrong", and no log lines, which begin with a date: these keep no daemon from
 * starting.  Return whether there are any. */
static bool
log_complaints(char *text, const char *outcome, struct log *log)
{
	char *line, *rest = text;
	bool any = false;

	while ((line = strtok_r(rest, "\n", &rest)) != NULL) {
		char *what = strstr(line, ": ");

		if (what == NULL || (*line >= '0' && *line <= '9'))
			continue;
		log_line(log, SMTPD_LOG_ERROR, "%s: %s", outcome, what + 2);
		any = true;
	}
	return any;
}

bool
recheck_passes(char *const *argv, const char *outcome, struct log *log)
{
	char said[SAID_SIZE];
	int out[2], status = 0, error;
	bool ended;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) == -1)
		error = errno;
	else {
		error = spawn_check(argv, out[1], &pid);
		close(out[1]);
	}
	if (error != 0) {
		log_line(log, SMTPD_LOG_WARNING, "cannot run %s --check: %s",
		    argv[0], strerror(error));
		return true;
	}
	ended = read_all(out[0], said, sizeof(said));
	close(out[0]);
	if (!ended) {
		kill(pid, SIGKILL);
		log_line(log, SMTPD_LOG_WARNING,
		    "%s --check does not end within %d seconds", argv[0],
		    TIMEOUT_S);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (!ended || status == 0)
		return true;
	if (log_complaints(said, outcome, log))
		return false;
	/* A certificate that cannot be read does not keep it from starting. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
		return true;
	log_line(log, SMTPD_LOG_ERROR, "%s: %s --check ends with %s %d",
	    outcome, argv[0], WIFSIGNALED(status) ? "signal" : "exit status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}
