/* SPDX-License-Identifier: MIT */
/* From one segment to the next, and what is made ready for that. */
#include <errno.h>
#include <unistd.h>

#include "journal/disk/state.h"
#include "os/random.h"

unsigned
smtpd_log_spares(const struct smtpd_log *log)
{
	unsigned n = 0;

	for (int i = 0; i < SMTPD_LOG_SPARES; i++)
		n += log->spares[i] == SMTPD_LOG_SPARE_READY;
	return n;
}

static int
which_is(const struct smtpd_log *log, enum smtpd_log_spare state)
{
	int i = 0;

	while (i < SMTPD_LOG_SPARES && log->spares[i] != state)
		i++;
	return i;
}

int
smtpd_log_make_spare(struct smtpd_log *log)
{
	int which = which_is(log, SMTPD_LOG_SPARE_NONE);
	int rc, error;

	if (which == SMTPD_LOG_SPARES) {
		errno = EAGAIN;
		return -1;
	}
	log->spares[which] = SMTPD_LOG_SPARE_BUSY;
	pthread_mutex_unlock(&log->lock);
	rc = smtpd_log_file_make(log->dir, which, log->settings.segment_size);
	error = errno;
	pthread_mutex_lock(&log->lock);
	log->spares[which] =
	    rc == 0 ? SMTPD_LOG_SPARE_READY : SMTPD_LOG_SPARE_NONE;
	pthread_cond_broadcast(&log->idle);
	errno = error;
	return rc;
}

/* What the next segment is to say.  A mark that nobody knows keeps a body from
 * ever being taken for a record, whoever wrote it. */
static int
describe(const struct smtpd_log *log, struct smtpd_log_header *h)
{
	*h = (struct smtpd_log_header){
		.number = 1,
		.size = log->settings.segment_size,
		.base = log->last + 1,
		.follows = log->durable,
	};
	if (log->count > 0) {
		const struct smtpd_log_segment *s =
		    &log->segments[log->count - 1];

		h->number = s->number + 1;
		h->previous_end = log->fd != -1 ? log->tail : s->end;
	}
	if (h->number == 0) {
		errno = EOVERFLOW;
		return -1;
	}
	if (!smtpd_random_bytes(&h->mark, sizeof(h->mark)))
		return -1;
	h->mark |= 1;
	return 0;
}

/* The lock is not held. */
static int
begin(struct smtpd_log *log, int which, const struct smtpd_log_header *h)
{
	if (which == SMTPD_LOG_MAKESHIFT &&
	    smtpd_log_file_make(log->dir, which, h->size) == -1)
		return -1;
	return smtpd_log_file_begin(log->dir, &log->crc, which, h);
}

static void
seal_last(struct smtpd_log *log, const struct smtpd_log_header *next)
{
	struct smtpd_log_segment *s = &log->segments[log->count - 1];

	if (log->fd != -1)
		close(log->fd);
	s->exact = s->mark != 0;
	s->indexed = !s->exact;
	s->end = next->previous_end;
	s->upto = next->follows;
}

static void
adopt(struct smtpd_log *log, int fd, const struct smtpd_log_header *h)
{
	if (log->count > 0)
		seal_last(log, h);
	log->segments[log->count++] = (struct smtpd_log_segment){
		.number = h->number,
		.size = h->size,
		.mark = h->mark,
		.end = SMTPD_LOG_LIMIT(h->size),
		.base = h->base,
		.upto = UINT64_MAX,
	};
	log->fd = fd;
	log->tail = SMTPD_LOG_PAGE;
}

int
smtpd_log_turn(struct smtpd_log *log)
{
	struct smtpd_log_header h;
	int which = which_is(log, SMTPD_LOG_SPARE_READY);
	int fd, error;

	if (describe(log, &h) == -1 || smtpd_log_grow(log) == -1)
		return -1;
	if (which < SMTPD_LOG_SPARES)
		log->spares[which] = SMTPD_LOG_SPARE_BUSY;
	log->turning = true;
	pthread_mutex_unlock(&log->lock);
	fd = begin(log, which, &h);
	error = errno;
	pthread_mutex_lock(&log->lock);
	log->turning = false;
	if (which < SMTPD_LOG_SPARES)
		log->spares[which] = SMTPD_LOG_SPARE_NONE;
	if (fd != -1)
		adopt(log, fd, &h);
	errno = error;
	return fd != -1 ? 0 : -1;
}
