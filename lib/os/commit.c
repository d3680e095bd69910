/* SPDX-License-Identifier: MIT */
#include "os/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/file.h"

int
smtpd__commit_file(int fd)
{
	/* On a new file fdatasync flushes the size as well. */
	if (fdatasync(fd) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return close(fd);
}

int
smtpd__commit_link(int from_dir, const char *from, int to_dir, const char *to)
{
	if (linkat(from_dir, from, to_dir, to, 0) == -1)
		return -1;
	if (unlinkat(from_dir, from, 0) == -1) {
		int error = errno;

		unlinkat(to_dir, to, 0);
		errno = error;
		return -1;
	}
	return 0;
}

int
smtpd__commit_move(int from_dir, const char *from, int to_dir, const char *to)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* An old kernel, or a file system that knows no such flag. */
	if (errno != ENOSYS && errno != EINVAL && errno != EOPNOTSUPP)
		return -1;
#endif
	return smtpd__commit_link(from_dir, from, to_dir, to);
}

int
smtpd__commit_replace(
    int dir, const char *name, const char *half, const void *data, size_t len)
{
	int fd = openat(dir, half,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return -1;
	if (smtpd__file_write(fd, data, len) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	if (smtpd__commit_file(fd) == -1 ||
	    renameat(dir, half, dir, name) == -1)
		return -1;
	return smtpd__commit_directory(dir);
}

int
smtpd__commit_directory(int fd)
{
	return fsync(fd);
}
