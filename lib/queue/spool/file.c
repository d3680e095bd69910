/* SPDX-License-Identifier: MIT */
#include "queue/spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int
smtpd__spool_file_make(struct smtpd_spool *s, char name[SMTPD_SPOOL_NAME_MAX])
{
	/* tmp/ was empty at the start, and nobody else writes to it. */
	snprintf(name, SMTPD_SPOOL_NAME_MAX, "%" PRIu64,
	    atomic_fetch_add(&s->files, 1));
	return openat(
	    s->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int
smtpd__spool_file_write(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
