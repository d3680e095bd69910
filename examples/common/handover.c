/* SPDX-License-Identifier: MIT */
#include "handover.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "systemd.h"

/* The variable with the number of the channel, ":" and whether others keep the
 * listeners open. */
#define VARIABLE "SMTPD_HANDOVER"

/* So many listeners are handed on at most, as many as a server has. */
#define LISTENERS_MAX 256

/* How often a wait looks for signals, and after how many looks it tells the
 * watchdog of systemd that it waits. */
#define LOOK_MS    100
#define TELL_AFTER 50

extern char **environ;

/* What is given to the new process. */
struct gift {
	int fds[LISTENERS_MAX];
	size_t count;
	char names[LISTENERS_MAX * sizeof(HANDOVER_SMTPS)];
	char *variables[4];
	char **environment;
	posix_spawn_file_actions_t actions;
};

static const char *
name_of(unsigned flags)
{
	if ((flags & SMTPD_LISTEN_LMTP) != 0)
		return HANDOVER_LMTP;
	return (flags & SMTPD_LISTEN_TLS) != 0 ? HANDOVER_SMTPS : HANDOVER_SMTP;
}

/* Duplicate the listeners of SRV, above the numbers that the new process has
 * for them, and note their names.  One that has failed before is left out. */
static void
collect_listeners(struct gift *g, struct smtpd_server *srv)
{
	for (size_t i = 0; smtpd_server_address(srv, i) != NULL; i++) {
		int shared = smtpd_server_share(srv, i);
		size_t len = strlen(g->names);
		int fd;

		if (shared == -1)
			continue;
		fd = fcntl(shared, F_DUPFD_CLOEXEC,
		    SYSTEMD_FIRST_FD + LISTENERS_MAX + 1);
		close(shared);
		if (fd == -1)
			continue;
		g->fds[g->count++] = fd;
		snprintf(g->names + len, sizeof(g->names) - len, "%s%s",
		    len > 0 ? ":" : "",
		    name_of(smtpd_server_listen_flags(srv, i)));
	}
}

/* Whether the new process gets another value of VARIABLE, or none. */
static bool
is_replaced(const char *variable)
{
	static const char *const names[] = { "LISTEN_PID=", "LISTEN_FDS=",
		"LISTEN_FDNAMES=", "WATCHDOG_PID=", VARIABLE "=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Make the environment of the new process, whose end of the channel follows
 * the listeners.  Its id is not known yet: LISTEN_PID is ours.  Return 0 or
 * -1. */
static int
make_environment(struct gift *g, bool kept)
{
	size_t size = sizeof(g->names) + 32;
	size_t n = 0, count = 0;

	while (environ[count] != NULL)
		count++;
	g->environment = calloc(count + 5, sizeof(*g->environment));
	for (size_t i = 0; i < 4; i++)
		if ((g->variables[i] = malloc(size)) == NULL)
			return -1;
	if (g->environment == NULL)
		return -1;
	snprintf(g->variables[0], size, "LISTEN_PID=%ld", (long)getpid());
	snprintf(g->variables[1], size, "LISTEN_FDS=%zu", g->count);
	snprintf(g->variables[2], size, "LISTEN_FDNAMES=%s", g->names);
	snprintf(g->variables[3], size, VARIABLE "=%zu:%d",
	    SYSTEMD_FIRST_FD + g->count, kept);
	for (size_t i = 0; i < count; i++)
		if (!is_replaced(environ[i]))
			g->environment[n++] = environ[i];
	memcpy(&g->environment[n], g->variables, sizeof(g->variables));
	return 0;
}

/* Start ARGV with what is in G and CHANNEL.  It blocks signals from the
 * beginning, as this process does: some are sent to both. */
static int
spawn_program(struct gift *g, char *const *argv, int channel, pid_t *pid)
{
	int error;

	posix_spawn_file_actions_init(&g->actions);
	for (size_t i = 0; i < g->count; i++)
		posix_spawn_file_actions_adddup2(
		    &g->actions, g->fds[i], SYSTEMD_FIRST_FD + (int)i);
	posix_spawn_file_actions_adddup2(
	    &g->actions, channel, SYSTEMD_FIRST_FD + (int)g->count);
	error =
	    posix_spawnp(pid, argv[0], &g->actions, NULL, argv, g->environment);
	posix_spawn_file_actions_destroy(&g->actions);
	return error;
}

static void
drop_gift(struct gift *g)
{
	for (size_t i = 0; i < g->count; i++)
		close(g->fds[i]);
	for (size_t i = 0; i < 4; i++)
		free(g->variables[i]);
	free(g->environment);
	free(g);
}

int
handover_start(struct handover_new *new, char *const *argv,
    struct smtpd_server *srv, bool kept)
{
	struct gift *g = calloc(1, sizeof(*g));
	int pair[2], theirs, error = ENOMEM;

	if (g == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
		free(g);
		return -1;
	}
	theirs = fcntl(
	    pair[1], F_DUPFD_CLOEXEC, SYSTEMD_FIRST_FD + LISTENERS_MAX + 1);
	close(pair[1]);
	collect_listeners(g, srv);
	if (theirs == -1)
		error = errno;
	else if (make_environment(g, kept) == 0)
		error = spawn_program(g, argv, theirs, &new->child);
	drop_gift(g);
	if (theirs != -1)
		close(theirs);
	if (error != 0) {
		close(pair[0]);
		errno = error;
		return -1;
	}
	new->begun = true;
	new->channel = pair[0];
	return 0;
}

/* Wait for the child, which has ended or is about to; return its status as
 * waitpid() has it. */
static int
reap_child(struct handover_new *new)
{
	int status = 0;

	while (waitpid(new->child, &status, 0) == -1 && errno == EINTR)
		continue;
	new->child = 0;
	return status;
}

/* The new process has ended without being ready: say in WHY of SIZE bytes how,
 * as far as that can be known. */
static void
forget_process(struct handover_new *new, char *why, size_t size)
{
	int status = new->child != 0 ? reap_child(new) : 0;

	if (new->why[0] != '\0')
		snprintf(why, size, "%s", new->why);
	else if (WIFSIGNALED(status))
		snprintf(why, size, "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(why, size, "exit status %d", WEXITSTATUS(status));
	else
		snprintf(why, size, "it says why");
	close(new->channel);
	*new = (struct handover_new){ .begun = false };
}

/* What the new process says, besides a byte: who it is, or in the whole size
 * why it fails. */
union said {
	pid_t pid;
	char why[HANDOVER_WHY_SIZE];
};

int
handover_poll(struct handover_new *new, char *why, size_t size)
{
	union said s;
	ssize_t n = recv(new->channel, &s, sizeof(s), MSG_DONTWAIT);

	if (n == 1)
		return 1;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == (ssize_t)sizeof(s.pid)) {
		new->pid = s.pid;
		reap_child(new);
		return 0;
	}
	if (n == (ssize_t)sizeof(s)) {
		snprintf(new->why, sizeof(new->why), "%.*s",
		    HANDOVER_WHY_SIZE - 1, s.why);
		return 0;
	}
	forget_process(new, why, size);
	return -1;
}

void
handover_finish(const struct handover_new *new)
{
	/* If that one is gone, whoever started us starts another. */
	(void)!send(new->channel, "", 1, MSG_NOSIGNAL);
}

void
handover_cancel(struct handover_new *new)
{
	if (new->child != 0) {
		kill(new->child, SIGKILL);
		reap_child(new);
	}
	if (new->pid != 0)
		kill(new->pid, SIGKILL);
	close(new->channel);
	*new = (struct handover_new){ .begun = false };
}

/* Become a child of the service manager, which takes care of orphans, and tell
 * the old process the id. */
static int
leave_parent(const struct handover_old *old)
{
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid != 0)
		_exit(0);
	pid = getpid();
	(void)!send(old->channel, &pid, sizeof(pid), MSG_NOSIGNAL);
	return 0;
}

static bool
is_channel(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET;
}

int
handover_claim(struct handover_old *old, struct text_list *names)
{
	const char *text = getenv(VARIABLE);
	int kept = 0;

	*old = (struct handover_old){ .channel = -1 };
	if (text != NULL && sscanf(text, "%d:%d", &old->channel, &kept) == 2 &&
	    is_channel(old->channel))
		fcntl(old->channel, F_SETFD, FD_CLOEXEC);
	else
		old->channel = -1;
	old->kept = kept != 0;
	unsetenv(VARIABLE);
	if (old->channel == -1)
		return systemd_listen_fds(getpid(), names);
	/* The parent may have ended meanwhile, and is another then. */
	if (systemd_listen_fds(SYSTEMD_ANY_OWNER, names) == -1)
		return -1;
	return leave_parent(old);
}

void
handover_fail(const struct handover_old *old, const char *why)
{
	char text[HANDOVER_WHY_SIZE] = { 0 };

	if (old->channel == -1)
		return;
	snprintf(text, sizeof(text), "%s", why);
	(void)!send(old->channel, text, sizeof(text), MSG_NOSIGNAL);
}

void
handover_ready(struct handover_old *old)
{
	char byte;

	if (old->channel == -1 || old->told)
		return;
	old->told = true;
	if (send(old->channel, "", 1, MSG_NOSIGNAL) == -1)
		return;
	while (recv(old->channel, &byte, 1, 0) == -1 && errno == EINTR)
		continue;
}

static bool
end_is_asked(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	    (sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGINT) == 1);
}

bool
handover_wait(struct handover_old *old)
{
	struct pollfd p = { .fd = old->channel, .events = POLLIN };

	for (int looks = 1; old->channel != -1; looks++) {
		if (end_is_asked())
			return false;
		/* Nothing more is said: what comes is the end. */
		if (poll(&p, 1, LOOK_MS) > 0) {
			close(old->channel);
			old->channel = -1;
		}
		if (looks % TELL_AFTER == 0)
			systemd_notify("WATCHDOG=1");
	}
	return true;
}
