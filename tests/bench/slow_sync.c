/* SPDX-License-Identifier: MIT */
/* Loaded before the C library, this makes a disk of one whose flush takes
 * SLOW_SYNC_MS milliseconds longer: each fsync() and fdatasync() is done, and
 * then waits. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int
end_sync(long result)
{
	const char *text = getenv("SLOW_SYNC_MS");
	const long ms = text != NULL ? strtol(text, NULL, 10) : 0;
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
	const int error = errno;

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		continue;
	errno = error;
	return (int)result;
}

int
fsync(int fd)
{
	return end_sync(syscall(SYS_fsync, fd));
}

int
fdatasync(int fd)
{
	return end_sync(syscall(SYS_fdatasync, fd));
}
