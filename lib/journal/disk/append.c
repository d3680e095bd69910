/* SPDX-License-Identifier: MIT */
#include "journal/disk/append.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/roll.h"
#include "journal/disk/scan.h"
#include "journal/disk/segments.h"
#include "os/file.h"

/* A thread is not busy any more: wake those that wait for that, and one to
 * lead the next batch. */
static void
end_busy(struct smtpd_disk *log)
{
	log->busy = false;
	pthread_cond_broadcast(&log->idle);
	if (log->forming->promises != NULL)
		pthread_cond_signal(&log->forming->done);
}

/* Tell all that wait for batch B how it went: ERROR is an errno, or 0. */
static void
finish_batch(struct smtpd_disk *log, struct smtpd_disk_batch *b, int error)
{
	struct smtpd_journal_promise *p, *next;

	for (p = b->promises; p != NULL; p = next) {
		next = p->next;
		if (error == 0)
			log->stats.records += p->count;
		for (size_t i = 0; error != 0 && i < p->count; i++) {
			const struct smtpd_journal_record *r = &p->records[i];
			uint32_t number =
			    smtpd__disk_format_ref_segment(r->ref);

			if (r->live)
				smtpd__disk_segments_count_dead(log,
				    smtpd__disk_segments_find(log, number),
				    r->size);
		}
		p->error = error;
		p->done = true;
	}
	b->promises = NULL;
	b->len = 0;
	b->written = 0;
	b->error = 0;
	pthread_cond_broadcast(&b->done);
}

/* Whether bytes before those of B are still to be written: a kill must not
 * leave a gap. */
static bool
others_come_first(
    const struct smtpd_disk *log, const struct smtpd_disk_batch *b)
{
	const struct smtpd_disk_batch *led = log->led;

	return log->writing ||
	    (led != NULL && led != b && led->written < led->len &&
		led->error == 0);
}

/* Write what is in B and was not written yet.  The lock is held, but not during
 * the write. */
static void
write_batch(struct smtpd_disk *log, struct smtpd_disk_batch *b)
{
	uint32_t from, to;
	int error = 0;

	while (others_come_first(log, b))
		pthread_cond_wait(&log->written, &log->lock);
	from = b->written;
	to = b->len;
	if (from == to || b->error != 0)
		return;
	log->writing = true;
	pthread_mutex_unlock(&log->lock);
	if (smtpd__file_write_at(
		log->fd, b->buf + from, to - from, b->offset + from) == -1)
		error = errno;
	pthread_mutex_lock(&log->lock);
	log->writing = false;
	b->error = error;
	if (error == 0)
		b->written = to;
	pthread_cond_broadcast(&log->written);
}

/* How many gaps a batch that failed may leave among records that are to be
 * found: well below what a reader takes for the end. */
#define GAPS_MAX (SMTPD_DISK_VOIDS / 2)

/* Gaps that are made from the end of the log on. */
struct voiding {
	size_t gaps;
	bool in_gap;
};

/* Batch B fails.  Those who wait for its groups are told that these were
 * refused: have nobody find them there after a kill.  What nobody waits for is
 * to be found, until it was appended anew, unless that leaves too many gaps.
 * It does no harm if this is not durable, so it is not synced, and the file is
 * never written to again. */
static void
void_groups(const struct smtpd_disk *log, const struct smtpd_disk_batch *b,
    struct voiding *v)
{
	static const uint8_t zeros[SMTPD_DISK_RECORD_HEADER];

	/* The last one is the first in the list. */
	for (const struct smtpd_journal_promise *p = b->promises; p != NULL;
	    p = p->next) {
		if (p->begun && v->gaps < GAPS_MAX) {
			v->in_gap = false;
			continue;
		}
		v->gaps += !v->in_gap;
		v->in_gap = true;
		smtpd__file_write_at(log->fd, zeros, sizeof(zeros),
		    smtpd__disk_format_ref_offset(p->records[0].ref));
	}
}

/* A write or sync of batch B failed with ERROR.  The kernel may have dropped
 * its pages and report success next time, so no sync is tried again: the
 * segment ends before it, and what was to follow it there fails too. */
static void
fail_batch(struct smtpd_disk *log, struct smtpd_disk_batch *b, int error)
{
	struct smtpd_disk_segment *s = &log->segments[log->count - 1];
	struct voiding v = { 0 };

	while (log->writing)
		pthread_cond_wait(&log->written, &log->lock);
	s->end = b->offset;
	s->failed = true;
	void_groups(log, log->forming, &v);
	void_groups(log, b, &v);
	close(log->fd);
	log->fd = -1;
	log->stats.failures++;
	finish_batch(log, b, error);
	finish_batch(log, log->forming, error);
	/* Those who were to write theirs need not. */
	pthread_cond_broadcast(&log->written);
}

/* Write and sync the batch that forms, while the next one does.  The log is not
 * busy; the lock is held, but neither during the write nor the sync. */
static void
lead_batch(struct smtpd_disk *log)
{
	struct smtpd_disk_batch *b = log->forming;
	int error;

	log->forming = &log->batches[b == &log->batches[0]];
	log->busy = true;
	log->led = b;
	pthread_cond_broadcast(&log->idle);
	write_batch(log, b);
	error = b->error;
	pthread_mutex_unlock(&log->lock);
	if (error == 0 && fdatasync(log->fd) == -1)
		error = errno;
	pthread_mutex_lock(&log->lock);
	log->stats.syncs++;
	if (error == 0) {
		log->durable = b->last;
		log->stats.bytes += b->len;
		finish_batch(log, b, 0);
	} else {
		fail_batch(log, b, error);
	}
	log->led = NULL;
	end_busy(log);
}

/* Get space for SIZE bytes that may not be appended here with FLAGS. */
static int
get_space(struct smtpd_disk *log, uint32_t size, unsigned flags)
{
	int rc;

	log->busy = true;
	if (size > smtpd__disk_segments_room(log))
		rc = smtpd__disk_roll(
		    log, (flags & SMTPD_JOURNAL_RELOCATION) != 0);
	else
		rc = smtpd__disk_roll_make_spare(log, false);
	end_busy(log);
	if (rc == -1 && errno == EAGAIN) {
		pthread_cond_wait(&log->idle, &log->lock);
		return 0;
	}
	return rc;
}

/*
 * How much of the last segment an append with FLAGS must leave: the reserve,
 * which is for essential ones; and where the spare for relocation is in use, or
 * could not be had, as much as there is in the oldest segment, unless that
 * would not fit anyway.
 */
static uint64_t
room_to_leave(const struct smtpd_disk *log, unsigned flags)
{
	unsigned spares = smtpd__disk_segments_spares(log);
	uint64_t leave = 0;

	if (spares > smtpd__disk_segments_kept(log) ||
	    (flags & SMTPD_JOURNAL_RELOCATION) != 0)
		return 0;
	if (spares == 0 && log->count > 1)
		/* What is written anew may have grown by a flag or two. */
		leave = log->segments[0].live_bytes / 16 * 17 + SMTPD_DISK_PAGE;
	if (leave > smtpd__disk_segments_room(log))
		leave = 0;
	if ((flags & SMTPD_JOURNAL_ESSENTIAL) == 0)
		leave += log->settings.reserve;
	return leave;
}

/* Wait until N records of SIZE bytes may join the batch that forms. */
static int
admit_group(struct smtpd_disk *log, size_t n, uint32_t size, unsigned flags)
{
	for (;;) {
		uint32_t room = smtpd__disk_segments_room(log);
		bool allowed =
		    size <= room && room - size >= room_to_leave(log, flags);

		if (log->last >= SMTPD_DISK_SEQUENCE_MAX - n) {
			errno = EOVERFLOW;
			return -1;
		}
		if (allowed &&
		    log->forming->len + size <= SMTPD_JOURNAL_GROUP_MAX)
			return 0;
		if (log->busy)
			pthread_cond_wait(&log->idle, &log->lock);
		else if (log->forming->promises != NULL)
			lead_batch(log);
		else if (get_space(log, size, flags) == -1)
			return -1;
	}
}

static void
copy_bytes(uint8_t **to, const void *from, size_t len)
{
	if (len > 0)
		memcpy(*to, from, len);
	*to += len;
}

/* Write R to the batch that forms.  MORE: the next one is of its group. */
static void
copy_record(struct smtpd_disk *log, struct smtpd_journal_record *r, bool more)
{
	struct smtpd_disk_segment *s = &log->segments[log->count - 1];
	struct smtpd_disk_batch *b = log->forming;
	uint8_t *start = b->buf + b->len;
	uint8_t *body, *p = start + SMTPD_DISK_RECORD_HEADER;
	struct smtpd_disk_record_header h = {
		.body_crc = r->body_crc,
		.head_len = (uint32_t)r->head_len,
		.type = r->type,
		.flags = more ? SMTPD_DISK_MORE : 0,
		.sequence = ++log->last,
		.durable = log->durable,
	};

	copy_bytes(&p, r->head, r->head_len);
	body = p;
	for (size_t i = 0; i < r->body_count; i++)
		copy_bytes(&p, r->body[i].iov_base, r->body[i].iov_len);
	h.body_len = (uint32_t)(p - body);
	memset(p, 0, r->size - (size_t)(p - start));
	smtpd__disk_format_put_record(&log->crc, s->mark, &h, r->head, start);
	r->sequence = h.sequence;
	r->body_len = h.body_len;
	r->ref = smtpd__disk_format_ref(s->number, log->tail);
	b->len += r->size;
	log->tail += r->size;
	/* From now on, so that the segment is not recycled before the caller
	 * knows. */
	if (r->live)
		smtpd__disk_segments_count_live(log, s, r->size);
}

static void
join_batch(struct smtpd_disk *log, struct smtpd_journal_record *records,
    struct smtpd_journal_promise *p)
{
	struct smtpd_disk_batch *b = log->forming;

	if (b->promises == NULL)
		b->offset = log->tail;
	for (size_t i = 0; i < p->count; i++)
		copy_record(log, &records[i], i + 1 < p->count);
	b->last = log->last;
	p->batch = b;
	p->next = b->promises;
	b->promises = p;
}

/* Fill in the size of R on disk, and the CRC of its body.  0: it is too
 * large. */
static uint32_t
measure_record(const struct smtpd_disk *log, struct smtpd_journal_record *r)
{
	uint64_t body_len = 0;

	r->body_crc = 0;
	for (size_t i = 0; i < r->body_count; i++) {
		const struct iovec *v = &r->body[i];

		body_len += v->iov_len;
		if (v->iov_len > SMTPD_JOURNAL_GROUP_MAX ||
		    body_len > SMTPD_JOURNAL_GROUP_MAX)
			return 0;
		r->body_crc = smtpd__crc32c(
		    &log->crc, r->body_crc, v->iov_base, v->iov_len);
	}
	if (r->head_len > SMTPD_JOURNAL_HEAD_MAX)
		return 0;
	r->size = (uint32_t)smtpd__disk_format_size(r->head_len, body_len);
	return r->size;
}

/* The size of all N records on disk.  0: it is too large. */
static uint32_t
measure_group(const struct smtpd_disk *log,
    struct smtpd_journal_record *records, size_t n)
{
	uint32_t most = log->settings.segment_size - 2 * SMTPD_DISK_PAGE;
	uint64_t sum = 0;

	if (most > SMTPD_JOURNAL_GROUP_MAX)
		most = SMTPD_JOURNAL_GROUP_MAX;
	for (size_t i = 0; i < n; i++) {
		uint32_t size = measure_record(log, &records[i]);

		sum += size;
		if (size == 0 || sum > most)
			return 0;
	}
	return (uint32_t)sum;
}

/* Have P, which has N RECORDS, join the batch that forms.  Return 0, or -1 with
 * errno. */
static int
begin_group(struct smtpd_disk *log, struct smtpd_journal_record *records,
    size_t n, unsigned flags, struct smtpd_journal_promise *p)
{
	uint32_t size = measure_group(log, records, n);
	int status;

	p->done = n == 0;
	if (n == 0)
		return 0;
	if (log->settings.read_only || size == 0) {
		errno = log->settings.read_only ? EROFS : EFBIG;
		return -1;
	}
	pthread_mutex_lock(&log->lock);
	status = admit_group(log, n, size, flags);
	if (status == 0)
		join_batch(log, records, p);
	pthread_mutex_unlock(&log->lock);
	return status;
}

/* Wait until what came of P is known.  The lock is held. */
static int
await_promise(struct smtpd_disk *log, const struct smtpd_journal_promise *p)
{
	struct smtpd_disk_batch *b = p->batch;

	/* Its batch is the one that forms, or is being written. */
	while (!p->done) {
		if (log->busy)
			pthread_cond_wait(&b->done, &log->lock);
		else
			lead_batch(log);
	}
	errno = p->error;
	return p->error == 0 ? 0 : -1;
}

int
smtpd__disk_append_begin(struct smtpd_disk *log,
    struct smtpd_journal_record *records, size_t n, unsigned flags,
    struct smtpd_journal_promise *p)
{
	struct smtpd_disk_batch *b;
	uint32_t end;
	int status = 0;

	*p = (struct smtpd_journal_promise){
		.records = records, .count = n, .begun = true
	};
	if (begin_group(log, records, n, flags, p) == -1)
		return -1;
	if (n == 0)
		return 0;
	pthread_mutex_lock(&log->lock);
	b = p->batch;
	end = smtpd__disk_format_ref_offset(records[n - 1].ref) +
	    records[n - 1].size;
	while (!p->done && b->error == 0 && b->offset + b->written < end)
		write_batch(log, b);
	if (p->done || b->error != 0)
		status = await_promise(log, p);
	pthread_mutex_unlock(&log->lock);
	return status;
}

int
smtpd__disk_append_end(struct smtpd_disk *log, struct smtpd_journal_promise *p)
{
	int status;

	pthread_mutex_lock(&log->lock);
	status = await_promise(log, p);
	pthread_mutex_unlock(&log->lock);
	return status;
}

void
smtpd__disk_append_flush(struct smtpd_disk *log)
{
	pthread_mutex_lock(&log->lock);
	if (!log->busy && log->forming->promises != NULL)
		lead_batch(log);
	pthread_mutex_unlock(&log->lock);
}

int
smtpd__disk_append(struct smtpd_disk *log, struct smtpd_journal_record *records,
    size_t n, unsigned flags)
{
	struct smtpd_journal_promise p = { .records = records, .count = n };

	if (begin_group(log, records, n, flags, &p) == -1)
		return -1;
	return smtpd__disk_append_end(log, &p);
}
