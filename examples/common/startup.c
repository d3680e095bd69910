/* SPDX-License-Identifier: MIT */
#include "startup.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

void
startup_prepare(void)
{
	umask(027);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		/* The lowest free number is FD: those below are open. */
		if (open("/dev/null", O_RDWR) != fd)
			_exit(EX_OSERR);
	}
}
