/* SPDX-License-Identifier: MIT */
#include "journal/disk/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/segments.h"
#include "os/fd.h"

static int
add_segment(struct smtpd_disk *log, uint32_t number)
{
	if (smtpd__disk_segments_grow(log) == -1)
		return -1;
	log->segments[log->count++] =
	    (struct smtpd_disk_segment){ .number = number };
	return 0;
}

/* What is not of the right size was not finished, or belongs to a log with
 * other segments. */
static void
take_spare(struct smtpd_disk *log, const char *name, int which)
{
	if (log->settings.read_only)
		return;
	if (which < SMTPD_DISK_SPARES &&
	    smtpd__disk_file_has_size(
		log->dir, name, log->settings.segment_size))
		log->spares[which] = SMTPD_DISK_SPARE_READY;
	else
		unlinkat(log->dir, name, 0);
}

static int
take_name(struct smtpd_disk *log, const char *name)
{
	uint32_t number = smtpd__disk_format_name_number(name, ".log");
	int which = smtpd__disk_file_spare_which(name);

	if (number != 0)
		return add_segment(log, number);
	if (which != -1)
		take_spare(log, name, which);
	return 0;
}

static int
read_names(struct smtpd_disk *log, DIR *dir)
{
	struct dirent *entry;

	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		if (take_name(log, entry->d_name) == -1)
			return -1;
		errno = 0;
	}
	return errno == 0 ? 0 : -1;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct smtpd_disk_segment *)a)->number;
	uint32_t y = ((const struct smtpd_disk_segment *)b)->number;

	return (x > y) - (x < y);
}

/* An index may outlive its segment. */
static void
drop_index(struct smtpd_disk *log, const char *name)
{
	uint32_t number = smtpd__disk_format_name_number(name, ".idx");

	if (number != 0 && smtpd__disk_segments_find(log, number) == NULL)
		unlinkat(log->dir, name, 0);
}

static void
drop_indexes(struct smtpd_disk *log, DIR *dir)
{
	struct dirent *entry;

	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		drop_index(log, entry->d_name);
}

int
smtpd__disk_list(struct smtpd_disk *log)
{
	int fd = openat(log->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	int rc, error;

	if (dir == NULL) {
		smtpd__fd_close(fd);
		return -1;
	}
	rc = read_names(log, dir);
	if (log->count > 1)
		qsort(log->segments, log->count, sizeof(*log->segments),
		    by_number);
	if (rc == 0 && !log->settings.read_only)
		drop_indexes(log, dir);
	error = errno;
	closedir(dir);
	errno = error;
	return rc;
}
