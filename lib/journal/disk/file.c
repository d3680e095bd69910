/* SPDX-License-Identifier: MIT */
#include "journal/disk/file.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/commit.h"
#include "os/fd.h"
#include "os/file.h"

void
smtpd__disk_file_spare_name(char name[SMTPD_DISK_NAME], int which)
{
	snprintf(name, SMTPD_DISK_NAME, "spare-%d", which & 7);
}

int
smtpd__disk_file_spare_which(const char *name)
{
	if (strncmp(name, "spare-", 6) != 0 || name[6] < '0' ||
	    name[6] > '0' + SMTPD_DISK_MAKESHIFT || name[7] != '\0')
		return -1;
	return name[6] - '0';
}

void
smtpd__disk_file_discard(int dir, const char *name, int fd)
{
	int error = errno;

	smtpd__fd_close(fd);
	unlinkat(dir, name, 0);
	errno = error;
}

/* So much is written and synced at a time: it delays the syncs of others. */
#define FILL_STEP 1048576u

/* Write zeros to all SIZE bytes of FD, which are durable then.  Return 0 or an
 * errno value. */
static int
fill_file(int fd, uint32_t size)
{
	uint8_t *zeros = calloc(1, FILL_STEP);
	int error = zeros != NULL ? 0 : ENOMEM;
	uint32_t n;

	for (uint32_t at = 0; error == 0 && at < size; at += n) {
		n = size - at < FILL_STEP ? size - at : FILL_STEP;
		if (smtpd__file_write_at(fd, zeros, n, at) == -1 ||
		    fdatasync(fd) == -1)
			error = errno;
	}
	free(zeros);
	return error;
}

int
smtpd__disk_file_make(int dir, int which, uint32_t size, bool fill)
{
	char name[SMTPD_DISK_NAME];
	struct statvfs st;
	int fd, error;

	/* To try and fail would take all that others might still write to. */
	if (fstatvfs(dir, &st) == 0 &&
	    (uint64_t)st.f_bavail * st.f_frsize < size) {
		errno = ENOSPC;
		return -1;
	}
	smtpd__disk_file_spare_name(name, which);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1) {
		errno = errno == EDQUOT ? ENOSPC : errno;
		return -1;
	}
	do
		error = posix_fallocate(fd, 0, (off_t)size);
	while (error == EINTR);
	/* The file system may not be able to. */
	if (error == EOPNOTSUPP || error == EINVAL)
		error = ftruncate(fd, (off_t)size) == -1 ? errno : 0;
	if (error == 0 && fill)
		error = fill_file(fd, size);
	if (error != 0) {
		errno = error == EDQUOT || error == EFBIG ? ENOSPC : error;
		smtpd__disk_file_discard(dir, name, fd);
		return -1;
	}
	return close(fd);
}

int
smtpd__disk_file_begin(int dir, const struct smtpd_crc32c *crc, int which,
    const struct smtpd_disk_header *header)
{
	char spare[SMTPD_DISK_NAME], name[SMTPD_DISK_NAME];
	uint8_t page[SMTPD_DISK_PAGE] = { 0 };
	uint32_t last = header->size - SMTPD_DISK_PAGE;
	int fd;

	smtpd__disk_file_spare_name(spare, which);
	smtpd__disk_format_name(name, header->number, SMTPD_DISK_SEGMENT);
	fd = openat(dir, spare, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return -1;
	smtpd__disk_format_put_header(crc, header, page);
	if (smtpd__file_write_at(fd, page, sizeof(page), 0) == -1 ||
	    smtpd__file_write_at(fd, page, sizeof(page), last) == -1 ||
	    fdatasync(fd) == -1 || renameat(dir, spare, dir, name) == -1) {
		smtpd__disk_file_discard(dir, spare, fd);
		return -1;
	}
	if (smtpd__commit_directory(dir) == -1) {
		smtpd__disk_file_discard(dir, name, fd);
		return -1;
	}
	return fd;
}

int
smtpd__disk_file_open(int dir, uint32_t number, bool read_only)
{
	char name[SMTPD_DISK_NAME];

	smtpd__disk_format_name(name, number, SMTPD_DISK_SEGMENT);
	return openat(dir, name, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
}

static enum smtpd_disk_header_state
header_at(int fd, const struct smtpd_crc32c *crc, uint64_t offset,
    struct smtpd_disk_header *header)
{
	uint8_t bytes[SMTPD_DISK_HEADER];

	if (smtpd__file_read_at(fd, bytes, sizeof(bytes), offset) == -1)
		return errno == EBADMSG ? SMTPD_DISK_HEADER_DAMAGED
					: SMTPD_DISK_HEADER_UNREAD;
	return smtpd__disk_format_get_header(crc, bytes, header);
}

enum smtpd_disk_header_state
smtpd__disk_file_header(
    int fd, const struct smtpd_crc32c *crc, struct smtpd_disk_header *header)
{
	enum smtpd_disk_header_state first = header_at(fd, crc, 0, header);
	enum smtpd_disk_header_state copy;
	int error = errno;
	struct stat st;

	if (first == SMTPD_DISK_HEADER_GOOD || first == SMTPD_DISK_HEADER_NEWER)
		return first;
	if (fstat(fd, &st) == -1)
		return SMTPD_DISK_HEADER_UNREAD;
	if (st.st_size < (off_t)SMTPD_DISK_PAGE)
		return first;
	copy =
	    header_at(fd, crc, (uint64_t)st.st_size - SMTPD_DISK_PAGE, header);
	if (copy != SMTPD_DISK_HEADER_DAMAGED)
		return copy;
	errno = error;
	return first;
}

bool
smtpd__disk_file_has_size(int dir, const char *name, uint32_t size)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size == (off_t)size;
}
