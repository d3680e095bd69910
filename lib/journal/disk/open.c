/* SPDX-License-Identifier: MIT */
#include "journal/disk/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/each.h"
#include "journal/disk/list.h"
#include "journal/disk/roll.h"
#include "journal/disk/segments.h"
#include "os/fd.h"
#include "os/file.h"

#define RESERVE 4194304u

/* The log while it is being opened. */
struct opening {
	struct smtpd_disk *log;
	struct smtpd_disk_segment *segment; /* that is being read */
	char *error;
	size_t size;
};

/* Say what went wrong, and with which segment; 0: with none.  errno stays.
 * Return -1. */
static int
report_error(const struct opening *o, uint32_t number, const char *what)
{
	char name[SMTPD_DISK_NAME];
	int error = errno;

	smtpd__disk_format_name(name, number, SMTPD_DISK_SEGMENT);
	if (number != 0)
		snprintf(o->error, o->size, "segment %s: %s", name, what);
	else
		snprintf(o->error, o->size, "log: %s", what);
	errno = error;
	return -1;
}

/* The same in the words of errno. */
static int
report_errno(const struct opening *o, uint32_t number)
{
	int error = errno;
	char what[64];

	if (strerror_r(error, what, sizeof(what)) != 0)
		snprintf(what, sizeof(what), "error %d", error);
	errno = error;
	return report_error(o, number, what);
}

/* Fill in S from its file, and what H says of the segment before it. */
static int
read_header(const struct opening *o, struct smtpd_disk_segment *s,
    struct smtpd_disk_header *h)
{
	struct smtpd_disk *log = o->log;
	enum smtpd_disk_header_state state;
	char what[96];
	int fd = smtpd__disk_file_open(log->dir, s->number, true);
	int error;

	if (fd == -1 && errno == ENOENT && log->settings.read_only)
		errno = EAGAIN;
	if (fd == -1)
		return report_errno(o, s->number);
	state = smtpd__disk_file_header(fd, &log->crc, h);
	error = errno;
	close(fd);
	errno = error;
	if (state == SMTPD_DISK_HEADER_UNREAD)
		return report_errno(o, s->number);
	if (state == SMTPD_DISK_HEADER_NEWER) {
		snprintf(what, sizeof(what),
		    "its format has version %lu, this program knows version %u",
		    (unsigned long)h->version, SMTPD_DISK_VERSION);
		errno = ENOTSUP;
		return report_error(o, s->number, what);
	}
	if (state == SMTPD_DISK_HEADER_DAMAGED || h->number != s->number)
		return 0;
	s->size = h->size;
	s->mark = h->mark;
	s->base = h->base;
	s->end = SMTPD_DISK_LIMIT(h->size);
	s->upto = UINT64_MAX;
	return 0;
}

static int
read_headers(const struct opening *o)
{
	struct smtpd_disk *log = o->log;

	for (size_t i = 0; i < log->count; i++) {
		struct smtpd_disk_segment *s = &log->segments[i];
		struct smtpd_disk_segment *before = i > 0 ? s - 1 : NULL;
		struct smtpd_disk_header h;

		if (read_header(o, s, &h) == -1)
			return -1;
		if (s->mark == 0)
			continue;
		/* It says how far the one before it is to be believed. */
		if (before != NULL && before->mark != 0 &&
		    before->number == s->number - 1 &&
		    h.previous_end >= SMTPD_DISK_PAGE &&
		    h.previous_end <= SMTPD_DISK_LIMIT(before->size)) {
			before->end = h.previous_end;
			before->upto = h.follows;
			before->exact = true;
		}
		/* The sequence of a batch that failed is not given again. */
		if (h.base - 1 > log->last)
			log->last = h.base - 1;
	}
	return 0;
}

static int
replay_record(void *user, const struct smtpd_journal_record *record)
{
	struct opening *o = user;
	struct smtpd_disk *log = o->log;
	int live = 0;

	if (record->sequence > log->last)
		log->last = record->sequence;
	if (log->settings.replay != NULL)
		live = log->settings.replay(log->settings.user, log, record);
	if (live == 1)
		smtpd__disk_segments_count_live(log, o->segment, record->size);
	return live == -1 ? -1 : 0;
}

static int
replay_segment(struct opening *o, struct smtpd_disk_segment *s,
    struct smtpd_disk_found *found)
{
	struct smtpd_disk *log = o->log;

	o->segment = s;
	if (smtpd__disk_each(log, s, true, replay_record, o, found) == -1) {
		if (found->gone && log->settings.read_only)
			errno = EAGAIN;
		return report_errno(o, s->number);
	}
	if (found->gone) {
		errno = EAGAIN;
		return report_error(o, s->number, "it was recycled meanwhile");
	}
	s->indexed = found->indexed || !s->exact;
	s->pinned = found->unkept;
	if (found->scanned && found->next - 1 > log->last)
		log->last = found->next - 1;
	if (!s->exact && found->scanned && !found->unkept) {
		/* It need not be found out again. */
		s->end = found->end;
		s->upto = found->next - 1;
	}
	return 0;
}

static int
replay_all(struct opening *o, struct smtpd_disk_found *last)
{
	struct smtpd_disk *log = o->log;
	int fd;

	for (size_t i = 0; i < log->count; i++) {
		struct smtpd_disk_segment *s = &log->segments[i];

		if (i > 0 && s[-1].number != s->number - 1)
			smtpd__disk_each_report(log, s->number - 1, 0, NULL, 0,
			    "the segment is missing");
		if (replay_segment(o, s, last) == -1)
			return -1;
	}
	/* Beside a writer: all that was read must still be there. */
	if (!log->settings.read_only || log->count == 0)
		return 0;
	fd = smtpd__disk_file_open(log->dir, log->segments[0].number, true);
	if (fd != -1)
		return close(fd);
	errno = EAGAIN;
	return report_error(
	    o, log->segments[0].number, "segments were recycled meanwhile");
}

/*
 * What is void was set aside.  When the next records happen to end where old
 * ones begin, these must not be taken for what comes next, and what was no
 * whole group must not become one.
 */
static int
clear_voids(int fd, const struct smtpd_disk_found *found)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < found->void_count; i++) {
		uint32_t from = found->voids[i].from;
		uint32_t len = found->voids[i].to - from;
		void *zeros = calloc(1, len);

		if (zeros == NULL)
			return -1;
		rc = smtpd__file_write_at(fd, zeros, len, from);
		free(zeros);
	}
	return rc == -1 || found->void_count == 0 ? rc : fdatasync(fd);
}

/* Go on in the last segment, if it is one to go on in. */
static int
continue_last(const struct opening *o, const struct smtpd_disk_found *found)
{
	struct smtpd_disk *log = o->log;
	struct smtpd_disk_segment *s = &log->segments[log->count - 1];
	char name[SMTPD_DISK_NAME];

	smtpd__disk_format_name(name, s->number, SMTPD_DISK_SEGMENT);
	if (s->mark == 0 || s->pinned ||
	    !smtpd__disk_file_has_size(log->dir, name, s->size))
		return 0;
	log->fd = smtpd__disk_file_open(log->dir, s->number, false);
	if (log->fd == -1)
		return report_errno(o, s->number);
	if (clear_voids(log->fd, found) == -1)
		return report_errno(o, s->number);
	log->tail = s->end;
	/* What is appended from now on lies beyond what was found. */
	s->end = SMTPD_DISK_LIMIT(s->size);
	s->upto = UINT64_MAX;
	return 0;
}

/* What was read may be in memory only: those who replay it rely on it. */
static int
sync_last(const struct opening *o)
{
	struct smtpd_disk *log = o->log;
	uint32_t number = log->segments[log->count - 1].number;
	int fd = smtpd__disk_file_open(log->dir, number, false);
	int rc;

	if (fd == -1)
		return report_errno(o, number);
	rc = fdatasync(fd);
	if (rc == -1)
		report_errno(o, number);
	smtpd__fd_close(fd);
	return rc;
}

static int
recover_log(struct opening *o)
{
	struct smtpd_disk *log = o->log;
	bool writing = !log->settings.read_only;
	struct smtpd_disk_found found = { .void_count = 0 };

	if (smtpd__disk_list(log) == -1)
		return report_errno(o, 0);
	if (read_headers(o) == -1)
		return -1;
	if (writing && log->count > 0 && sync_last(o) == -1)
		return -1;
	if (replay_all(o, &found) == -1)
		return -1;
	log->durable = log->last;
	if (!writing || log->count == 0)
		return 0;
	return continue_last(o, &found);
}

static struct smtpd_disk *
create_log(const struct smtpd_disk_settings *settings)
{
	struct smtpd_disk *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->settings = *settings;
	if (log->settings.segment_size == 0)
		log->settings.segment_size = SMTPD_DISK_SEGMENT_DEFAULT;
	if (log->settings.reserve == 0)
		log->settings.reserve = log->settings.segment_size / 4 < RESERVE
		    ? log->settings.segment_size / 4
		    : RESERVE;
	smtpd__crc32c_init(&log->crc);
	log->dir = -1;
	log->fd = -1;
	log->forming = &log->batches[0];
	/* On Linux these cannot fail. */
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->idle, NULL);
	pthread_cond_init(&log->written, NULL);
	for (int i = 0; i < 2; i++)
		pthread_cond_init(&log->batches[i].done, NULL);
	return log;
}

static int
open_log(struct opening *o, int dir_fd)
{
	struct smtpd_disk *log = o->log;
	const struct smtpd_disk_settings *s = &log->settings;
	int rc = 0;

	if (s->segment_size < SMTPD_DISK_SEGMENT_MIN ||
	    s->segment_size > SMTPD_DISK_SEGMENT_MAX ||
	    s->segment_size % SMTPD_DISK_PAGE != 0 ||
	    s->reserve > s->segment_size / 4) {
		errno = EINVAL;
		return report_error(o, 0, "settings out of range");
	}
	log->dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->dir == -1)
		return report_errno(o, 0);
	for (int i = 0; i < 2 && !log->settings.read_only; i++) {
		log->batches[i].buf = malloc(SMTPD_JOURNAL_GROUP_MAX);
		if (log->batches[i].buf == NULL)
			return report_errno(o, 0);
	}
	if (recover_log(o) == -1)
		return -1;
	if (s->read_only || log->fd != -1)
		return 0;
	/* There is none to append to: begin one.  Without space the log still
	 * opens: it can be read. */
	pthread_mutex_lock(&log->lock);
	log->busy = true;
	if (smtpd__disk_segments_spares(log) == 0)
		rc = smtpd__disk_roll_make_spare(log, true);
	if (rc == 0)
		rc = smtpd__disk_roll(log, true);
	log->busy = false;
	pthread_mutex_unlock(&log->lock);
	return rc == 0 || errno == ENOSPC ? 0 : report_errno(o, 0);
}

struct smtpd_disk *
smtpd__disk_open(int dir_fd, const struct smtpd_disk_settings *settings,
    char *error, size_t size)
{
	struct opening o = { create_log(settings), NULL, error, size };
	int saved;

	if (o.log == NULL) {
		report_errno(&o, 0);
		return NULL;
	}
	if (open_log(&o, dir_fd) == 0)
		return o.log;
	saved = errno;
	smtpd__disk_close(o.log);
	errno = saved;
	return NULL;
}
