/* SPDX-License-Identifier: MIT */
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void
smtpd__fd_close(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
}

int
smtpd__fd_prepare(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(fd, F_SETFL, O_NONBLOCK) != 0
	    ? -1
	    : 0;
}
