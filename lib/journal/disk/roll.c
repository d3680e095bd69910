/* SPDX-License-Identifier: MIT */
#include "journal/disk/roll.h"

#include <errno.h>
#include <unistd.h>

#include "journal/disk/segments.h"
#include "os/random.h"

int
smtpd__disk_roll_make_spare(struct smtpd_disk *log, bool fill)
{
	int which = smtpd__disk_segments_find_spare(log, SMTPD_DISK_SPARE_NONE);
	int rc, error;

	if (which == SMTPD_DISK_SPARES) {
		errno = EAGAIN;
		return -1;
	}
	log->spares[which] = SMTPD_DISK_SPARE_BUSY;
	pthread_mutex_unlock(&log->lock);
	rc = smtpd__disk_file_make(
	    log->dir, which, log->settings.segment_size, fill);
	error = errno;
	pthread_mutex_lock(&log->lock);
	log->spares[which] =
	    rc == 0 ? SMTPD_DISK_SPARE_READY : SMTPD_DISK_SPARE_NONE;
	pthread_cond_broadcast(&log->idle);
	errno = error;
	return rc;
}

/* Fill in the header of the next segment.  A mark that nobody knows keeps a
 * body from ever being taken for a record, whoever wrote it. */
static int
make_header(const struct smtpd_disk *log, struct smtpd_disk_header *h)
{
	*h = (struct smtpd_disk_header){
		.number = 1,
		.size = log->settings.segment_size,
		.base = log->last + 1,
		.follows = log->durable,
	};
	if (log->count > 0) {
		const struct smtpd_disk_segment *s =
		    &log->segments[log->count - 1];

		h->number = s->number + 1;
		h->previous_end = log->fd != -1 ? log->tail : s->end;
		if (s->pinned && log->fd == -1)
			h->previous_end = 0;
	}
	if (h->number == 0) {
		errno = EOVERFLOW;
		return -1;
	}
	if (!smtpd__random_bytes(&h->mark, sizeof(h->mark)))
		return -1;
	h->mark |= 1;
	return 0;
}

/* Seal the last segment, and append to FD from now on, whose header is H. */
static void
add_segment(struct smtpd_disk *log, int fd, const struct smtpd_disk_header *h)
{
	if (log->fd != -1)
		close(log->fd);
	if (log->count > 0) {
		struct smtpd_disk_segment *s = &log->segments[log->count - 1];

		s->exact = s->mark != 0 && h->previous_end != 0;
		s->indexed = !s->exact;
		if (h->previous_end != 0)
			s->end = h->previous_end;
		s->upto = h->follows;
	}
	log->segments[log->count++] = (struct smtpd_disk_segment){
		.number = h->number,
		.size = h->size,
		.mark = h->mark,
		.end = SMTPD_DISK_LIMIT(h->size),
		.base = h->base,
		.upto = UINT64_MAX,
	};
	log->fd = fd;
	log->tail = SMTPD_DISK_PAGE;
}

/* Drop the last segment if a write to it failed and nothing durable is in it: a
 * disk that goes on to fail must not leave a segment each time. */
static void
drop_void(struct smtpd_disk *log)
{
	const struct smtpd_disk_segment *s;
	char name[SMTPD_DISK_NAME];

	if (log->count < 2)
		return;
	s = &log->segments[log->count - 1];
	if (!s->failed || s->end > SMTPD_DISK_PAGE)
		return;
	smtpd__disk_format_name(name, s->number, SMTPD_DISK_SEGMENT);
	if (unlinkat(log->dir, name, 0) == 0)
		log->count--;
}

int
smtpd__disk_roll(struct smtpd_disk *log, bool relocation)
{
	struct smtpd_disk_header h;
	unsigned kept = relocation ? 0 : smtpd__disk_segments_kept(log);
	int which = SMTPD_DISK_MAKESHIFT;
	int fd = -1, error;

	drop_void(log);
	if (smtpd__disk_segments_spares(log) > kept)
		which = smtpd__disk_segments_find_spare(
		    log, SMTPD_DISK_SPARE_READY);

	if (make_header(log, &h) == -1 || smtpd__disk_segments_grow(log) == -1)
		return -1;
	if (which < SMTPD_DISK_SPARES)
		log->spares[which] = SMTPD_DISK_SPARE_BUSY;
	log->rolling = true;
	pthread_mutex_unlock(&log->lock);
	/* Those who wait for it do not wait for it to be filled. */
	if (which != SMTPD_DISK_MAKESHIFT ||
	    smtpd__disk_file_make(log->dir, which, h.size, false) == 0)
		fd = smtpd__disk_file_begin(log->dir, &log->crc, which, &h);
	error = errno;
	pthread_mutex_lock(&log->lock);
	log->rolling = false;
	if (which < SMTPD_DISK_SPARES)
		log->spares[which] = SMTPD_DISK_SPARE_NONE;
	if (fd != -1)
		add_segment(log, fd, &h);
	errno = error;
	return fd != -1 ? 0 : -1;
}
