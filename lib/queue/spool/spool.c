/* SPDX-License-Identifier: MIT */
#include "queue/spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/id_source.h"
#include "queue/spool/core.h"
#include "queue/spool/messages.h"
#include "queue/spool/replay.h"

/* How often a reader tries beside a writer that removes records. */
#define READ_TRIES 5

struct smtpd_journal *
smtpd__spool_journal(const struct smtpd_spool *s)
{
	return s->journal;
}

static void
note_damage(void *user, const struct smtpd_journal_damage *d)
{
	struct smtpd_spool *s = user;

	s->damages++;
	smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
	    "segment %s of the log is damaged at %llu: %s", d->where,
	    (unsigned long long)d->offset, d->why);
	if (d->error != 0)
		smtpd__logger_write(&s->settings.logger, SMTPD_LOG_WARNING,
		    "it cannot be copied to quarantine/: %s",
		    strerror(d->error));
}

static void
note_loss(void *user)
{
	const struct smtpd_spool *s = user;

	smtpd__logger_write(&s->settings.logger, SMTPD_LOG_ERROR,
	    "another process has taken over the journal");
}

static int
open_journal(struct smtpd_spool *s, const struct smtpd_journal_engine *engine,
    const char *location, char *error, size_t size)
{
	const struct smtpd_journal_settings settings = {
		.read_only = s->settings.read_only,
		.segment_size = s->settings.segment_size,
		.damaged = note_damage,
		.lost = note_loss,
		.user = s,
	};
	int status = -1;

	s->journal =
	    smtpd__journal_open(engine, location, &settings, error, size);
	if (s->journal == NULL)
		return -1;
	for (int i = 0; i < READ_TRIES; i++) {
		status = smtpd__journal_replay(
		    s->journal, smtpd__spool_replay, s, error, size);
		if (status == 0 || errno != EAGAIN)
			break;
		smtpd__spool_replay_forget(s);
	}
	return status;
}

/* Remove the content ID, if it is that of no message. */
static int
clear_orphan(void *user, uint64_t id)
{
	struct smtpd_spool *s = user;
	const struct smtpd_queued_message *e =
	    smtpd__message_table_find(&s->table, id);

	if (e != NULL && (e->flags & SMTPD_MESSAGE_LARGE) != 0)
		return 0;
	if (s->damages == 0 ||
	    smtpd__content_keep_large(s->journal, id,
		"no message in the log has this content, but a part of the "
		"log is damaged") == 0)
		smtpd__content_remove(s->journal, id);
	return 0;
}

/* All but what closing has to write. */
static void
free_spool(struct smtpd_spool *s)
{
	int error = errno;

	smtpd__journal_close(s->journal);
	smtpd__spool_replay_forget(s);
	pthread_cond_destroy(&s->landed);
	pthread_mutex_destroy(&s->mutex);
	free(s->cleaning.ids);
	free(s);
	errno = error;
}

struct smtpd_spool *
smtpd__spool_open(const struct smtpd_journal_engine *engine,
    const char *location, const struct smtpd_spool_settings *settings,
    char *error, size_t size)
{
	struct smtpd_spool *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	s->settings = *settings;
	smtpd__crc32c_init(&s->crc);
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->landed, NULL);
	if (open_journal(s, engine, location, error, size) == -1) {
		free_spool(s);
		return NULL;
	}
	smtpd__spool_replay_finish(s);
	s->cleaning.marked = smtpd__clock_ms();
	if (!s->settings.read_only) {
		smtpd__content_each(s->journal, clear_orphan, s);
		smtpd__spool_quarantine_foreign(s);
	}
	return s;
}

void
smtpd__spool_close(struct smtpd_spool *s)
{
	if (s == NULL)
		return;
	if (!s->settings.read_only)
		smtpd__spool_clock_record(s);
	free_spool(s);
}

uint64_t
smtpd__spool_choose_id(struct smtpd_spool *s, uint64_t wanted)
{
	pthread_mutex_lock(&s->mutex);
	while (wanted == 0 || wanted > SMTPD_RECORD_ID_MAX ||
	    smtpd__message_table_find(&s->table, wanted) != NULL)
		wanted = smtpd__id_source_next();
	pthread_mutex_unlock(&s->mutex);
	return wanted;
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

struct smtpd_queued_message *
smtpd__spool_find(struct smtpd_spool *s, uint64_t id)
{
	struct smtpd_queued_message *e;

	pthread_mutex_lock(&s->mutex);
	e = smtpd__message_table_find(&s->table, id);
	if (e != NULL && (e->flags & SMTPD_MESSAGE_PENDING) != 0)
		e = NULL;
	if (e != NULL)
		e->pins++;
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
	if (e != NULL)
		e->pins++;
	pthread_mutex_unlock(&s->mutex);
	return e;
}

const struct smtpd_logger *
smtpd__spool_logger(const struct smtpd_spool *s)
{
	return &s->settings.logger;
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

struct smtpd_queued_message *
smtpd__spool_copy(
    struct smtpd_spool *s, const struct smtpd_queued_message *message)
{
	struct smtpd_queued_message *copy;

	pthread_mutex_lock(&s->mutex);
	copy = smtpd__queued_message_copy(message);
	pthread_mutex_unlock(&s->mutex);
	return copy;
}
