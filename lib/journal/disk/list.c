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

/* Find the segments and spares.  A spare that is not of the right size was not
 * finished, or belongs to a log with other segments. */
static int
read_names(struct smtpd_disk *log, DIR *dir)
{
	struct dirent *d;

	for (errno = 0; (d = readdir(dir)) != NULL; errno = 0) {
		uint32_t number = smtpd__disk_format_name_number(
		    d->d_name, SMTPD_DISK_SEGMENT);
		int which = smtpd__disk_file_spare_which(d->d_name);

		if (which != -1 && !log->settings.read_only) {
			if (which < SMTPD_DISK_SPARES &&
			    smtpd__disk_file_has_size(log->dir, d->d_name,
				log->settings.segment_size))
				log->spares[which] = SMTPD_DISK_SPARE_READY;
			else
				unlinkat(log->dir, d->d_name, 0);
		}
		if (number == 0)
			continue;
		if (smtpd__disk_segments_grow(log) == -1)
			return -1;
		log->segments[log->count++] =
		    (struct smtpd_disk_segment){ .number = number };
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

int
smtpd__disk_list(struct smtpd_disk *log)
{
	int fd = openat(log->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int rc, error;
	bool removes;

	if (dir == NULL) {
		smtpd__fd_close(fd);
		return -1;
	}
	rc = read_names(log, dir);
	error = errno;
	removes = rc == 0 && !log->settings.read_only;
	if (log->count > 1)
		qsort(log->segments, log->count, sizeof(*log->segments),
		    by_number);
	/* Remove indexes that have outlived their segments. */
	rewinddir(dir);
	while (removes && (d = readdir(dir)) != NULL) {
		uint32_t number =
		    smtpd__disk_format_name_number(d->d_name, SMTPD_DISK_INDEX);

		if (number != 0 &&
		    smtpd__disk_segments_find(log, number) == NULL)
			unlinkat(log->dir, d->d_name, 0);
	}
	closedir(dir);
	errno = error;
	return rc;
}
