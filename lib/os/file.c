/* SPDX-License-Identifier: MIT */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Add N, the result of a read or write, to *DONE.  Return 0, also when a signal
 * interrupted the call, or -1 with errno, which is END when N is 0. */
static int
add_moved(ssize_t n, size_t *done, int end)
{
	if (n > 0)
		*done += (size_t)n;
	if (n == 0)
		errno = end;
	return n > 0 || (n == -1 && errno == EINTR) ? 0 : -1;
}

int
smtpd__file_write(int fd, const void *data, size_t len)
{
	const char *p = data;

	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, p + done, len - done);

		if (add_moved(n, &done, EIO) == -1)
			return -1;
	}
	return 0;
}

int
smtpd__file_write_at(int fd, const void *data, size_t len, uint64_t offset)
{
	const char *p = data;

	for (size_t done = 0; done < len;) {
		ssize_t n =
		    pwrite(fd, p + done, len - done, (off_t)(offset + done));

		if (add_moved(n, &done, EIO) == -1)
			return -1;
	}
	return 0;
}

int
smtpd__file_read_at(int fd, void *data, size_t len, uint64_t offset)
{
	char *p = data;

	for (size_t done = 0; done < len;) {
		ssize_t n =
		    pread(fd, p + done, len - done, (off_t)(offset + done));

		if (add_moved(n, &done, EBADMSG) == -1)
			return -1;
	}
	return 0;
}

/* Drop the first N bytes of *PARTS.  Return how many parts are left. */
static int
drop_parts(struct iovec **parts, int count, size_t n)
{
	struct iovec *part = *parts;

	while (count > 0 && n >= part->iov_len) {
		n -= part->iov_len;
		part++;
		count--;
	}
	if (count > 0) {
		part->iov_base = (char *)part->iov_base + n;
		part->iov_len -= n;
	}
	*parts = part;
	return count;
}

int
smtpd__file_write_parts(int fd, struct iovec *parts, int count)
{
	count = drop_parts(&parts, count, 0);
	while (count > 0) {
		ssize_t n = writev(fd, parts, count);
		size_t done = 0;

		if (add_moved(n, &done, EIO) == -1)
			return -1;
		count = drop_parts(&parts, count, done);
	}
	return 0;
}

int
smtpd__file_open_unnamed(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char path[PATH_MAX];

	/* Not every file system can do that, nor every kernel. */
	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	snprintf(path, sizeof(path),
	    "%s/smtpd.XX"
	    "XX"
	    "XX",
	    directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		unlink(path);
	return fd;
}

int
smtpd__file_open_regular(int dir, const char *name, struct stat *st)
{
	int fd =
	    openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;

	if (fd == -1)
		return -1;
	errno = EINVAL;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
