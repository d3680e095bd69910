/* SPDX-License-Identifier: MIT */
#include "journal/disk/recycle.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/segments.h"
#include "os/commit.h"

/* So many segments may be dead before anything is copied. */
#define SLACK 4

uint32_t
smtpd__disk_recycle_due(struct smtpd_disk *log)
{
	uint64_t live = 0, all = 0;
	uint32_t due = 0, size = log->settings.segment_size;
	bool worth;

	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i + 1 < log->count; i++) {
		live += log->segments[i].live_bytes;
		all += log->segments[i].size;
	}
	worth = all >= live + size ||
	    2 * log->segments[0].live_bytes <= log->segments[0].size;
	if (log->count > 1 &&
	    (log->segments[0].live_records == 0 || (log->full && worth) ||
		all > 2 * live + (uint64_t)SLACK * size))
		due = log->segments[0].number;
	pthread_mutex_unlock(&log->lock);
	return due;
}

/* Make the file of S spare WHICH, or remove it.  Return true if it is a spare
 * now. */
static bool
recycle_file(
    struct smtpd_disk *log, const struct smtpd_disk_segment *s, int which)
{
	char name[SMTPD_DISK_NAME], spare[SMTPD_DISK_NAME];

	smtpd__disk_format_name(name, s->number, SMTPD_DISK_INDEX);
	unlinkat(log->dir, name, 0);
	smtpd__disk_format_name(name, s->number, SMTPD_DISK_SEGMENT);
	if (which < SMTPD_DISK_SPARES &&
	    smtpd__disk_file_has_size(log->dir, name, s->size)) {
		smtpd__disk_file_spare_name(spare, which);
		/* Before it is used again it must have lost its old name for
		 * good. */
		if (renameat(log->dir, name, log->dir, spare) == 0)
			return smtpd__commit_directory(log->dir) == 0;
	}
	unlinkat(log->dir, name, 0);
	return false;
}

/* Recycle the oldest segment.  The lock is held, but not while files move.
 * Return false when it has to stay. */
static bool
recycle_oldest(struct smtpd_disk *log)
{
	struct smtpd_disk_segment s;
	bool is_spare;
	int which = SMTPD_DISK_SPARES;

	if (log->count < 2 || log->segments[0].live_records > 0 ||
	    log->segments[0].pinned)
		return false;
	s = log->segments[0];
	log->count--;
	memmove(log->segments, log->segments + 1,
	    log->count * sizeof(*log->segments));
	if (!s.failed && s.size == log->settings.segment_size)
		which =
		    smtpd__disk_segments_find_spare(log, SMTPD_DISK_SPARE_NONE);
	if (which < SMTPD_DISK_SPARES)
		log->spares[which] = SMTPD_DISK_SPARE_BUSY;
	pthread_mutex_unlock(&log->lock);
	is_spare = recycle_file(log, &s, which);
	pthread_mutex_lock(&log->lock);
	if (which < SMTPD_DISK_SPARES)
		log->spares[which] =
		    is_spare ? SMTPD_DISK_SPARE_READY : SMTPD_DISK_SPARE_NONE;
	pthread_cond_broadcast(&log->idle);
	return true;
}

unsigned
smtpd__disk_recycle(struct smtpd_disk *log)
{
	unsigned n = 0;

	if (log->settings.read_only)
		return 0;
	pthread_mutex_lock(&log->lock);
	while (recycle_oldest(log))
		n++;
	pthread_mutex_unlock(&log->lock);
	return n;
}
