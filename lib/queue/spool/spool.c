/* SPDX-License-Identifier: MIT */
#include "queue/spool/spool.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/commit.h"
#include "os/fd.h"
#include "queue/spool/core.h"
#include "queue/spool/directory.h"
#include "queue/spool/messages.h"
#include "queue/spool/replay.h"

/* How often a reader tries beside a writer that recycles. */
#define READ_TRIES 5

uint32_t
smtpd__spool_now(const struct smtpd_spool *s)
{
	return smtpd__queue_clock_now(&s->clock);
}

uint64_t
smtpd__spool_wall_ms(const struct smtpd_spool *s, uint32_t when)
{
	int64_t seconds = (int64_t)when - (int64_t)smtpd__spool_now(s);
	int64_t ms = (int64_t)smtpd__clock_wall_ms() + seconds * 1000;

	return ms > 0 ? (uint64_t)ms : 0;
}

int
smtpd__spool_directory(const struct smtpd_spool *s)
{
	return s->dir;
}

void
smtpd__spool_stats(const struct smtpd_spool *s, struct smtpd_disk_stats *out)
{
	smtpd__disk_stats(s->log, out);
}

/* Open log/, which is made when it may be. */
static int
open_log_directory(const struct smtpd_spool *s)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	if (s->settings.read_only)
		return openat(s->dir, "log", flags);
	if (mkdirat(s->dir, "log", 0700) == -1) {
		if (errno != EEXIST)
			return -1;
	} else if (smtpd__commit_directory(s->dir) == -1) {
		return -1;
	}
	return openat(s->dir, "log", flags);
}

static int
open_log(struct smtpd_spool *s, char *error, size_t size)
{
	const struct smtpd_disk_settings settings = {
		.segment_size = s->settings.segment_size,
		.read_only = s->settings.read_only,
		.replay = smtpd__spool_replay,
		.damaged = smtpd__spool_quarantine_range,
		.user = s,
	};
	int dir = open_log_directory(s);
	int tries = s->settings.read_only ? READ_TRIES : 1;

	if (dir == -1) {
		if (s->settings.read_only && errno == ENOENT)
			errno = ENOTDIR;
		snprintf(error, size, "log: %s", strerror(errno));
		return -1;
	}
	while (tries-- > 0) {
		s->log = smtpd__disk_open(dir, &settings, error, size);
		if (s->log != NULL || errno != EAGAIN)
			break;
		smtpd__spool_replay_forget(s);
	}
	smtpd__fd_close(dir);
	return s->log != NULL ? 0 : -1;
}

/* What the log takes at a time, by its segments. */
static uint32_t
group_max(uint32_t segment_size)
{
	if (segment_size == 0 || segment_size > 2 * SMTPD_DISK_GROUP_MAX)
		return SMTPD_DISK_GROUP_MAX;
	return segment_size / 2;
}

static struct smtpd_spool *
allocate(const struct smtpd_spool_settings *settings)
{
	struct smtpd_spool *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->settings = *settings;
	s->group_max = group_max(settings->segment_size);
	s->dir = s->lock = s->tmp = s->large = s->quarantine = s->dead = -1;
	smtpd__crc32c_init(&s->crc);
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->landed, NULL);
	return s;
}

/* All but what closing has to write. */
static void
destroy(struct smtpd_spool *s)
{
	int error = errno;

	smtpd__disk_close(s->log);
	smtpd__spool_replay_forget(s);
	smtpd__spool_directory_close(s);
	pthread_cond_destroy(&s->landed);
	pthread_mutex_destroy(&s->mutex);
	free(s->cleaning.ids);
	free(s);
	errno = error;
}

struct smtpd_spool *
smtpd__spool_open(const char *directory,
    const struct smtpd_spool_settings *settings, char *error, size_t size)
{
	struct smtpd_spool *s = allocate(settings);

	if (s == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	if (smtpd__spool_directory_open(s, directory, error, size) == -1)
		goto failed;
	if (!s->settings.read_only)
		smtpd__spool_directory_empty_tmp(s);
	if (open_log(s, error, size) == -1)
		goto failed;
	smtpd__spool_replay_finish(s);
	s->cleaning.marked = smtpd__clock_ms();
	if (!s->settings.read_only) {
		smtpd__spool_directory_clear_orphans(s);
		smtpd__spool_quarantine_foreign(s);
	}
	return s;
failed:
	destroy(s);
	return NULL;
}

void
smtpd__spool_close(struct smtpd_spool *s)
{
	if (s == NULL)
		return;
	if (!s->settings.read_only)
		smtpd__spool_core_mark_clock(s);
	destroy(s);
}

uint64_t
smtpd__spool_new_id(struct smtpd_spool *s)
{
	uint64_t id;

	pthread_mutex_lock(&s->mutex);
	id = smtpd__spool_messages_new_id(s);
	pthread_mutex_unlock(&s->mutex);
	return id;
}

void
smtpd__spool_pin(struct smtpd_spool *s, struct smtpd_queued_message *message)
{
	pthread_mutex_lock(&s->mutex);
	message->pins++;
	pthread_mutex_unlock(&s->mutex);
}

void
smtpd__spool_unpin(struct smtpd_spool *s, struct smtpd_queued_message *message)
{
	bool gone;

	pthread_mutex_lock(&s->mutex);
	message->pins--;
	gone =
	    message->pins == 0 && (message->flags & SMTPD_MESSAGE_ENDED) != 0;
	pthread_mutex_unlock(&s->mutex);
	if (gone)
		smtpd__spool_messages_free(s, message);
}

unsigned
smtpd__spool_flags(
    struct smtpd_spool *s, const struct smtpd_queued_message *message)
{
	(void)s;
	return message->flags;
}

/* Pin E, which may be NULL. */
static struct smtpd_queued_message *
pinned(struct smtpd_queued_message *e)
{
	if (e != NULL)
		e->pins++;
	return e;
}

struct smtpd_queued_message *
smtpd__spool_find(struct smtpd_spool *s, uint64_t id)
{
	struct smtpd_queued_message *e;

	pthread_mutex_lock(&s->mutex);
	e = smtpd__message_table_find(&s->table, id);
	if (e != NULL && (e->flags & SMTPD_MESSAGE_PENDING) != 0)
		e = NULL;
	e = pinned(e);
	pthread_mutex_unlock(&s->mutex);
	return e;
}

struct smtpd_queued_message *
smtpd__spool_next(struct smtpd_spool *s, uint64_t id)
{
	struct smtpd_queued_message *e;

	pthread_mutex_lock(&s->mutex);
	do {
		e = id < UINT64_MAX
		    ? smtpd__message_table_from(&s->table, id + 1)
		    : NULL;
		id = e != NULL ? e->id : id;
	} while (e != NULL && (e->flags & SMTPD_MESSAGE_PENDING) != 0);
	e = pinned(e);
	pthread_mutex_unlock(&s->mutex);
	return e;
}

uint64_t
smtpd__spool_count(struct smtpd_spool *s)
{
	uint64_t count;

	pthread_mutex_lock(&s->mutex);
	count = s->count;
	pthread_mutex_unlock(&s->mutex);
	return count;
}

static void
copy_job(struct smtpd_delivery_job *to, const struct smtpd_delivery_job *from)
{
	to->destination = from->destination;
	to->finished = from->finished;
	to->delay_notice_sent = from->delay_notice_sent;
	to->in_doubt = from->in_doubt;
	to->attempts = from->attempts;
	to->due = SMTPD_TIME_NONE;
	to->first = from->first;
	to->count = from->count;
	to->history = from->history;
}

/* The mutex is held. */
static void
copy_message(
    struct smtpd_queued_message *to, const struct smtpd_queued_message *from)
{
	const _Atomic unsigned char *bits = from->finished;
	_Atomic unsigned char *copy = to->finished;
	size_t len = ((size_t)smtpd__spool_messages_rcpts(from) + 7) / 8;

	to->size = from->size;
	to->place = from->place;
	to->record_size = from->record_size;
	to->arrived = from->arrived;
	to->unfinished = from->unfinished;
	to->flags = from->flags;
	for (uint32_t i = 0; i < from->njobs; i++)
		copy_job(&to->jobs[i], &from->jobs[i]);
	for (size_t i = 0; bits != NULL && i < len; i++)
		copy[i] = bits[i];
}

struct smtpd_queued_message *
smtpd__spool_copy(
    struct smtpd_spool *s, const struct smtpd_queued_message *message)
{
	struct smtpd_queued_message *copy =
	    smtpd__spool_messages_create(message->id, message->njobs);
	size_t len = ((size_t)smtpd__spool_messages_rcpts(message) + 7) / 8;

	if (copy == NULL)
		return NULL;
	copy->finished = calloc(len, 1);
	if (copy->finished == NULL) {
		free(copy);
		return NULL;
	}
	pthread_mutex_lock(&s->mutex);
	copy_message(copy, message);
	pthread_mutex_unlock(&s->mutex);
	return copy;
}
