/* SPDX-License-Identifier: MIT */
/* Housekeeping: what is sealed gets an index, and is recycled in the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/each.h"
#include "journal/disk/roll.h"
#include "journal/disk/segments.h"
#include "os/commit.h"

/* So many segments may be dead before anything is copied. */
#define SLACK 4

/* The last segment is never recycled: it says which numbers come next. */
static size_t
sealed(const struct smtpd_disk *log)
{
	return log->count > 0 ? log->count - 1 : 0;
}

uint32_t
smtpd__disk_oldest(struct smtpd_disk *log)
{
	uint32_t number;

	pthread_mutex_lock(&log->lock);
	number = sealed(log) > 0 ? log->segments[0].number : 0;
	pthread_mutex_unlock(&log->lock);
	return number;
}

bool
smtpd__disk_wants_cleaning(struct smtpd_disk *log)
{
	uint64_t live = 0, all = 0;
	bool wants;

	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < sealed(log); i++) {
		live += log->segments[i].live_bytes;
		all += log->segments[i].size;
	}
	wants = sealed(log) > 0 &&
	    (log->segments[0].live_records == 0 ||
		all > 2 * live + (uint64_t)SLACK * log->settings.segment_size);
	pthread_mutex_unlock(&log->lock);
	return wants;
}

int
smtpd__disk_walk(struct smtpd_disk *log, uint32_t segment,
    int (*fn)(void *user, const struct smtpd_disk_record *record), void *user)
{
	struct smtpd_disk_segment copy = { .number = 0 };
	const struct smtpd_disk_segment *s;
	struct smtpd_disk_found found;

	pthread_mutex_lock(&log->lock);
	s = smtpd__disk_segments_find(log, segment);
	if (s != NULL && (size_t)(s - log->segments) < sealed(log))
		copy = *s;
	pthread_mutex_unlock(&log->lock);
	if (copy.number == 0) {
		errno = ENOENT;
		return -1;
	}
	return smtpd__disk_each(log, &copy, true, fn, user, &found);
}

/* Where a recycled segment goes; SMTPD_DISK_SPARES: nowhere. */
static int
claim_slot(struct smtpd_disk *log, const struct smtpd_disk_segment *s)
{
	int which = 0;

	if (s->failed || s->size != log->settings.segment_size)
		return SMTPD_DISK_SPARES;
	while (which < SMTPD_DISK_SPARES &&
	    log->spares[which] != SMTPD_DISK_SPARE_NONE)
		which++;
	if (which < SMTPD_DISK_SPARES)
		log->spares[which] = SMTPD_DISK_SPARE_BUSY;
	return which;
}

/* Return whether it is a spare now. */
static bool
recycle_file(
    struct smtpd_disk *log, const struct smtpd_disk_segment *s, int which)
{
	char name[SMTPD_DISK_NAME], spare[SMTPD_DISK_NAME];

	smtpd__disk_format_index_name(name, s->number);
	unlinkat(log->dir, name, 0);
	smtpd__disk_format_segment_name(name, s->number);
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
	int which;

	if (sealed(log) == 0 || log->segments[0].live_records > 0)
		return false;
	s = log->segments[0];
	log->count--;
	memmove(log->segments, log->segments + 1,
	    log->count * sizeof(*log->segments));
	which = claim_slot(log, &s);
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

/* The next one that lacks its index; NULL: there is none. */
static struct smtpd_disk_segment *
without_index(struct smtpd_disk *log)
{
	for (size_t i = 0; i < sealed(log); i++) {
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

int
smtpd__disk_prepare(struct smtpd_disk *log)
{
	int spare = 0, index, error = 0;
	bool more;

	if (log->settings.read_only)
		return 0;
	pthread_mutex_lock(&log->lock);
	if (smtpd__disk_segments_spares(log) == 0)
		spare = smtpd__disk_roll_make_spare(log);
	if (spare == -1)
		error = errno;
	index = make_index(log);
	if (index == -1)
		error = errno;
	more = without_index(log) != NULL;
	pthread_mutex_unlock(&log->lock);
	if (error == 0)
		return more;
	errno = error;
	return -1;
}
