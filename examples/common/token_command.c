/* SPDX-License-Identifier: MIT */
/* For pipe2(). */
#define _GNU_SOURCE
#include "token_command.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLANKS " \t"

#define WORDS_MAX 64

/* What is kept of its standard error: the end. */
#define SAID_SIZE 1024

/* Longer words of it may be tokens, or a part of them. */
#define WORD_SHOWN 24

/* A command that runs. */
struct command {
	pid_t pid;
	int out, err; /* to read from; -1: it has closed them */
	char *text;   /* what it printed */
	size_t len, size;
	char said[SAID_SIZE];
	size_t said_len;
	bool too_much;
};

/* Divide TEXT into words, WORDS of WORDS_MAX and NULL. */
static void
split_words(char *text, char **words)
{
	char *rest = text;
	size_t n = 0;

	while (
	    n < WORDS_MAX && (words[n] = strtok_r(rest, BLANKS, &rest)) != NULL)
		n++;
	words[n] = NULL;
}

int
token_command_check(const char *command)
{
	char *copy = strdup(command);
	char *words[WORDS_MAX + 1];
	int result = -1;

	if (copy == NULL)
		return -1;
	split_words(copy, words);
	errno = ENOENT;
	if (words[0] != NULL && words[0][0] == '/')
		result = access(words[0], X_OK);
	free(copy);
	return result;
}

/* Its signals are as those of any program, whatever this one does with its
 * own, and it leads a process group. */
static void
set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, defaults;

	sigemptyset(&none);
	sigfillset(&defaults);
	sigdelset(&defaults, SIGKILL);
	sigdelset(&defaults, SIGSTOP);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &defaults);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setflags(attr,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		POSIX_SPAWN_SETPGROUP);
}

/* Start WORDS with OUT and ERR.  Return 0 or an errno. */
static int
spawn_words(char *const *words, int out, int err, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int error;

	set_attributes(&attr);
	posix_spawn_file_actions_init(&actions);
	error = posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(
		    &actions, out, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(
		    &actions, err, STDERR_FILENO);
	if (error == 0)
		error =
		    posix_spawn(pid, words[0], &actions, &attr, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return error;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Start COMMAND.  Return 0 or an errno. */
static int
start_command(struct command *c, const char *command)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	char *copy = strdup(command);
	char *words[WORDS_MAX + 1];
	int error = ENOMEM;

	if (copy != NULL) {
		split_words(copy, words);
		if (words[0] == NULL || words[0][0] != '/')
			error = ENOENT;
		else if (pipe2(out, O_CLOEXEC) == -1 ||
		    pipe2(err, O_CLOEXEC) == -1)
			error = errno;
		else
			error = spawn_words(words, out[1], err[1], &c->pid);
	}
	free(copy);
	close_fd(&out[1]);
	close_fd(&err[1]);
	c->out = out[0];
	c->err = err[0];
	return error;
}

static long long
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void
read_out(struct command *c)
{
	ssize_t n = read(c->out, c->text + c->len, c->size - 1 - c->len);

	if (n > 0)
		c->len += (size_t)n;
	if (n == 0)
		close_fd(&c->out);
	c->too_much = c->len + 1 == c->size;
}

static void
read_err(struct command *c)
{
	ssize_t n;

	/* The end is what says most. */
	if (c->said_len == sizeof(c->said) - 1) {
		size_t half = sizeof(c->said) / 2;

		memmove(c->said, c->said + half, c->said_len - half);
		c->said_len -= half;
	}
	n = read(
	    c->err, c->said + c->said_len, sizeof(c->said) - 1 - c->said_len);
	if (n > 0)
		c->said_len += (size_t)n;
	if (n == 0)
		close_fd(&c->err);
}

/* Read until the command has closed both; NULL, or why that was not waited
 * for. */
static const char *
read_all(struct command *c, long long end, const struct smtpd_cancel *cancel)
{
	while ((c->out != -1 || c->err != -1) && !c->too_much) {
		long long left = end - monotonic_ms();
		struct pollfd p[] = {
			{ .fd = c->out, .events = POLLIN },
			{ .fd = c->err, .events = POLLIN },
			{ .fd = smtpd_cancel_fd(cancel), .events = POLLIN },
		};

		if (left <= 0)
			return "it took too long";
		if (poll(p, 3, (int)left) <= 0)
			continue;
		if (p[2].revents != 0)
			return "it was broken off, for this program ends";
		if (p[0].revents != 0)
			read_out(c);
		if (p[1].revents != 0)
			read_err(c);
	}
	return c->too_much ? "it printed too much" : NULL;
}

/* Wait for the end of the command, which has closed its output.  Return false
 * when that does not come in time. */
static bool
wait_end(const struct command *c, long long end)
{
	static const struct timespec moment = { .tv_nsec = 5000000 };

	while (monotonic_ms() < end) {
		siginfo_t info = { .si_pid = 0 };

		/* It stays a zombie, so that its id is not another's. */
		if (waitid(P_PID, (id_t)c->pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid != 0)
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

/* Append the last line of what was said to WHY: a word that is so long that it
 * may be a secret is "*". */
static void
append_said(struct command *c, char *why, size_t size)
{
	char *end = c->said + c->said_len, *line, *word;

	*end = '\0';
	while (end > c->said && strchr(" \t\r\n", end[-1]) != NULL)
		*--end = '\0';
	line = strrchr(c->said, '\n');
	line = line != NULL ? line + 1 : c->said;
	for (const char *mark = ": ";
	    (word = strtok_r(line, " \t\r\"'=,;<>(){}[]", &line)) != NULL;
	    mark = " ") {
		size_t len = strlen(why);

		for (char *at = word; *at != '\0'; at++)
			if (*at < ' ' || *at > '~')
				*at = '?';
		snprintf(why + len, size - len, "%s%s", mark,
		    strlen(word) > WORD_SHOWN ? "*" : word);
	}
}

/* The command ended with STATUS.  Return 0, or -1 with WHY when that is not 0.
 */
static int
judge_status(struct command *c, int status, char *why, size_t size)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	snprintf(why, size, "it ended with %s %d",
	    WIFSIGNALED(status) ? "signal" : "exit status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	append_said(c, why, size);
	return -1;
}

int
token_command_run(const char *command, int seconds,
    const struct smtpd_cancel *cancel, char *out, size_t size, char *why,
    size_t why_size)
{
	struct command c = { .text = out, .size = size };
	long long end = monotonic_ms() + seconds * 1000LL;
	const char *fault = NULL;
	int status = 0, error;
	bool ended = false;

	error = start_command(&c, command);
	if (error != 0) {
		close_fd(&c.out);
		close_fd(&c.err);
		snprintf(
		    why, why_size, "it cannot be run: %s", strerror(error));
		return -1;
	}
	fault = read_all(&c, end, cancel);
	if (fault == NULL)
		ended = wait_end(&c, end);
	/* What it left behind goes too. */
	kill(-c.pid, SIGKILL);
	while (waitpid(c.pid, &status, 0) == -1 && errno == EINTR)
		continue;
	close_fd(&c.out);
	close_fd(&c.err);
	out[c.len] = '\0';
	if (ended)
		return judge_status(&c, status, why, why_size);
	snprintf(why, why_size, "%s",
	    fault != NULL ? fault : "it did not end in time");
	append_said(&c, why, why_size);
	return -1;
}
