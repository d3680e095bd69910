/* SPDX-License-Identifier: MIT */
#include "systemd.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Room for what is told at once. */
#define STATE_SIZE 2048

/* The number in environment variable NAME, or -1. */
static long long
number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0 ? n : -1;
}

/* Append COUNT names to LIST, those of TEXT, with ":" between them; "" where
 * it has others than there are sockets. */
static int
split_names(const char *text, long long count, struct text_list *list)
{
	long long have = 1;

	for (const char *c = text; *c != '\0'; c++)
		have += *c == ':';
	for (long long i = 0; i < count; i++) {
		size_t len = have == count ? strcspn(text, ":") : 0;
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		if (text_list_add(list, name) == -1)
			return -1;
		text += len;
		text += *text == ':';
	}
	return 0;
}

int
systemd_listen_fds(pid_t owner, struct text_list *names)
{
	const char *text = getenv("LISTEN_FDNAMES");
	long long count = number_of("LISTEN_FDS");
	int result;

	if (getenv("LISTEN_FDS") == NULL ||
	    (owner != SYSTEMD_ANY_OWNER && number_of("LISTEN_PID") != owner))
		count = 0;
	if (count < 0 || count > SYSTEMD_SOCKETS_MAX) {
		errno = EINVAL;
		result = -1;
	} else {
		result = split_names(text != NULL ? text : "", count, names);
	}
	for (size_t i = 0; i < names->count; i++)
		fcntl(SYSTEMD_FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return result;
}

/* Send STATE to PATH, where "@" stands for the NUL that begins an abstract
 * address. */
static int
send_state(const char *path, const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	ssize_t n;
	int fd;

	if ((*path != '/' && *path != '@') || len >= sizeof(to.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	n = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&to, (socklen_t)len);
	close(fd);
	return n == -1 ? -1 : 0;
}

int
systemd_notify(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char state[STATE_SIZE];
	va_list args;

	if (path == NULL)
		return 0;
	va_start(args, format);
	vsnprintf(state, sizeof(state), format, args);
	va_end(args);
	return send_state(path, state);
}

int
systemd_notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return systemd_notify("RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

uint64_t
systemd_watchdog_ms(void)
{
	long long usec = number_of("WATCHDOG_USEC");

	/* Without the id of a process it is any. */
	if (usec <= 0 ||
	    (getenv("WATCHDOG_PID") != NULL &&
		number_of("WATCHDOG_PID") != (long long)getpid()))
		return 0;
	return usec < 1000 ? 1 : (uint64_t)usec / 1000;
}
