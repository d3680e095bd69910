/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <sys/socket.h>

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "places.h"
#include "submission.h"

const char *
target_name(const struct arguments *a, size_t i)
{
	static const char *const names[] = { SMTPOUT_SOCKET, "127.0.0.1" };

	if (a->host != NULL)
		return i == 0 ? a->host : NULL;
	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static int
connect_to(const struct arguments *a, const char *name)
{
	struct smtpd_target t;
	int fd;

	if (places_target(name, a->port, &t) == -1) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(t.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&t.addr, t.len) == 0)
		return fd;
	close(fd);
	return -1;
}

int
target_connect(const struct arguments *a)
{
	static const struct timespec pause = { .tv_sec = SUBMISSION_PAUSE_S };
	const char *name;
	int fd;

	for (int i = 0; i < SUBMISSION_TRIES; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		for (size_t k = 0; (name = target_name(a, k)) != NULL; k++)
			if ((fd = connect_to(a, name)) != -1)
				return fd;
	}
	return -1;
}
