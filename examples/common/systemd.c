/* SPDX-License-Identifier: MIT */
#include "systemd.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number in environment variable NAME, or -1. */
static long
number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (text == NULL || *text == '\0')
		return -1;
	n = strtol(text, &end, 10);
	return *end == '\0' ? n : -1;
}

int
systemd_listen_fds(void)
{
	long pid = number_of("LISTEN_PID");
	long count = number_of("LISTEN_FDS");

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != (long)getpid() || count < 0 || count > 1000)
		return 0;
	for (int i = 0; i < (int)count; i++)
		fcntl(SYSTEMD_FIRST_FD + i, F_SETFD, FD_CLOEXEC);
	return (int)count;
}

int
systemd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t len;
	ssize_t n;
	int fd;

	if (path == NULL)
		return 0;
	if ((*path != '/' && *path != '@') ||
	    strlen(path) >= sizeof(to.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path));
	len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	/* "@" stands for the NUL that begins an abstract address. */
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1)
		return -1;
	n = sendto(fd, state, strlen(state), 0, (struct sockaddr *)&to, len);
	close(fd);
	return n == -1 ? -1 : 0;
}
