/* SPDX-License-Identifier: MIT */
#include "queue/spool/spool.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "os/commit.h"
#include "os/fd.h"
#include "queue/spool/core.h"

/* How often a reader tries beside a writer that recycles. */
#define READ_TRIES 5

/* The longest log line, with its NUL. */
#define LINE_SIZE 512

void
smtpd__spool_log(const struct smtpd_spool *s, enum smtpd_log_level level,
    const char *format, ...)
{
	const struct smtpd_spool_settings *settings = &s->settings;
	char raw[LINE_SIZE], line[LINE_SIZE];
	struct smtpd_text text;
	va_list ap;

	if (settings->log == NULL || level > settings->log_level)
		return;
	va_start(ap, format);
	vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	smtpd__text_init(&text, line, sizeof(line));
	smtpd__text_filtered(&text, raw, strlen(raw));
	settings->log(level, line, settings->log_user);
}

struct smtpd_stamp
smtpd__spool_stamp(const struct smtpd_spool *s)
{
	return (struct smtpd_stamp){ .clock = smtpd__spool_now(s),
		.wall_ms = smtpd__clock_wall_ms() };
}

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
		.damaged = smtpd__quarantine_range,
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
		smtpd__spool_forget(s);
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
	smtpd__spool_forget(s);
	smtpd__spool_close_directories(s);
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
	if (smtpd__spool_open_directories(s, directory, error, size) == -1)
		goto failed;
	if (!s->settings.read_only)
		smtpd__spool_empty_tmp(s);
	if (open_log(s, error, size) == -1)
		goto failed;
	smtpd__spool_settle(s);
	s->cleaning.marked = smtpd__clock_ms();
	if (!s->settings.read_only) {
		smtpd__spool_clear_orphans(s);
		smtpd__quarantine_foreign(s);
	}
	return s;
failed:
	destroy(s);
	return NULL;
}

void
smtpd__spool_mark(struct smtpd_spool *s)
{
	struct smtpd_record_clock clock = { .stamp = smtpd__spool_stamp(s) };
	struct smtpd_disk_entry record = { .type = SMTPD_RECORD_CLOCK };
	struct smtpd_pack head = { 0 };

	pthread_mutex_lock(&s->mutex);
	clock.last_id = s->last_id;
	pthread_mutex_unlock(&s->mutex);
	smtpd__record_put_clock(&head, &clock);
	record.head = head.data;
	record.head_len = head.len;
	if (!head.failed)
		smtpd__disk_append(s->log, &record, 1, 0);
	smtpd__pack_free(&head);
}

void
smtpd__spool_close(struct smtpd_spool *s)
{
	if (s == NULL)
		return;
	if (!s->settings.read_only)
		smtpd__spool_mark(s);
	destroy(s);
}
