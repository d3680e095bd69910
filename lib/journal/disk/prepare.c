/* SPDX-License-Identifier: MIT */
#include "journal/disk/prepare.h"

#include <errno.h>

#include "journal/disk/each.h"
#include "journal/disk/roll.h"
#include "journal/disk/segments.h"

/* The next one that lacks its index; NULL: there is none. */
static struct smtpd_disk_segment *
without_index(struct smtpd_disk *log)
{
	for (size_t i = 0; i + 1 < log->count; i++) {
		if (!log->segments[i].indexed)
			return &log->segments[i];
	}
	return NULL;
}

/* Write one index.  The lock is held, but not meanwhile. */
static int
make_index(struct smtpd_disk *log)
{
	struct smtpd_disk_segment *s = without_index(log);
	struct smtpd_disk_segment copy;
	struct smtpd_disk_found found;
	int rc, error;

	if (s == NULL)
		return 0;
	copy = *s;
	pthread_mutex_unlock(&log->lock);
	rc = smtpd__disk_each(log, &copy, false, NULL, NULL, &found);
	error = errno;
	pthread_mutex_lock(&log->lock);
	/* It is tried once: at the next start it may be made anyway. */
	s = smtpd__disk_segments_find(log, copy.number);
	if (s != NULL)
		s->indexed = true;
	errno = error;
	return rc;
}

/* Try again to set aside what is damaged in the oldest segment, if that is all
 * that keeps it.  The lock is held, but not meanwhile. */
static void
unpin_oldest(struct smtpd_disk *log)
{
	struct smtpd_disk_segment copy, *s;
	struct smtpd_disk_found found;
	int rc;

	if (log->count < 2 || !log->segments[0].pinned ||
	    log->segments[0].live_records > 0)
		return;
	copy = log->segments[0];
	pthread_mutex_unlock(&log->lock);
	rc = smtpd__disk_each(log, &copy, false, NULL, NULL, &found);
	pthread_mutex_lock(&log->lock);
	s = smtpd__disk_segments_find(log, copy.number);
	if (rc == 0 && s != NULL)
		s->pinned = found.unkept;
}

int
smtpd__disk_prepare(struct smtpd_disk *log)
{
	int spare = 0, index, error = 0;
	bool more;

	if (log->settings.read_only)
		return 0;
	pthread_mutex_lock(&log->lock);
	while (spare == 0 &&
	    smtpd__disk_segments_spares(log) <= smtpd__disk_segments_kept(log))
		spare = smtpd__disk_roll_make_spare(log, true);
	if (spare == -1)
		error = errno;
	log->full = error == ENOSPC;
	index = make_index(log);
	if (index == -1)
		error = errno;
	unpin_oldest(log);
	more = without_index(log) != NULL;
	pthread_mutex_unlock(&log->lock);
	if (error == 0)
		return more;
	errno = error;
	return -1;
}
