/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/spool/core.h"

struct smtpd_queued_message *
smtpd__spool_messages_create(uint64_t id, uint32_t njobs)
{
	struct smtpd_queued_message *e =
	    calloc(1, sizeof(*e) + njobs * sizeof(e->jobs[0]));

	if (e == NULL)
		return NULL;
	e->id = id;
	e->njobs = (uint16_t)njobs;
	e->unfinished = (uint16_t)njobs;
	for (uint32_t i = 0; i < njobs; i++)
		e->jobs[i].message = e;
	return e;
}

void
smtpd__spool_messages_free(
    struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	for (uint32_t i = 0; i < e->njobs; i++)
		if (e->jobs[i].destination != NULL &&
		    s->settings.release != NULL)
			s->settings.release(
			    s->settings.user, e->jobs[i].destination);
	free(e->finished);
	free(e);
}

bool
smtpd__spool_messages_bind_destination(struct smtpd_spool *s,
    struct smtpd_delivery_job *job, const char *domain, size_t len)
{
	char name[SMTPD_SPOOL_DOMAIN_MAX + 1];

	if (s->settings.destination == NULL)
		return true;
	memcpy(name, domain, len);
	name[len] = '\0';
	job->destination = s->settings.destination(s->settings.user, name);
	return job->destination != NULL;
}

uint32_t
smtpd__spool_messages_rcpts(const struct smtpd_queued_message *e)
{
	const struct smtpd_delivery_job *last = &e->jobs[e->njobs - 1];

	return last->first + last->count;
}

bool
smtpd__spool_messages_need_bits(struct smtpd_queued_message *e)
{
	if (e->finished == NULL)
		e->finished =
		    calloc(((size_t)smtpd__spool_messages_rcpts(e) + 7) / 8, 1);
	return e->finished != NULL;
}

void
smtpd__spool_messages_finish_rcpt(struct smtpd_queued_message *e, uint32_t rcpt)
{
	_Atomic unsigned char *bits = e->finished;

	atomic_fetch_or(&bits[rcpt / 8], (unsigned char)(1u << rcpt % 8));
}

uint8_t
smtpd__spool_job_flags(const struct smtpd_delivery_job *job)
{
	unsigned flags = 0;

	if (job->finished)
		flags |= SMTPD_RECORD_FINISHED;
	if (job->delay_notice_sent)
		flags |= SMTPD_RECORD_NOTICE_GIVEN;
	if (job->in_doubt)
		flags |= SMTPD_RECORD_UNSURE;
	return (uint8_t)flags;
}

void
smtpd__spool_messages_apply(struct smtpd_delivery_job *job,
    const struct smtpd_record_progress *p, struct smtpd_disk_place place)
{
	job->due = p->due;
	job->attempts = p->attempts;
	job->delay_notice_sent = (p->flags & SMTPD_RECORD_NOTICE_GIVEN) != 0;
	job->in_doubt = (p->flags & SMTPD_RECORD_UNSURE) != 0;
	job->history = place;
	if ((p->flags & SMTPD_RECORD_FINISHED) == 0 || job->finished)
		return;
	job->finished = true;
	job->message->unfinished--;
}

void
smtpd__spool_messages_end(struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	smtpd__message_table_remove(&s->table, e);
	s->count--;
	e->flags |= SMTPD_MESSAGE_ENDED;
}

void
smtpd__spool_messages_release(
    struct smtpd_spool *s, const struct smtpd_queued_message *e)
{
	char name[SMTPD_ID_SIZE];

	if ((e->flags & SMTPD_MESSAGE_LARGE) != 0) {
		smtpd__id_write(e->id, name);
		unlinkat(s->large, name, 0);
	}
	smtpd__disk_release(s->log, e->place, e->record_size);
}

/* Whether it may yet become clear that E has ended, or others are waited
 * for. */
static bool
must_wait(const struct smtpd_queued_message *e)
{
	unsigned flags = e->flags;

	if ((flags & SMTPD_MESSAGE_ENDED) != 0)
		return false;
	return (flags & (SMTPD_MESSAGE_LOCKED | SMTPD_MESSAGE_REMOVED)) != 0;
}

bool
smtpd__spool_enter(struct smtpd_spool *s, struct smtpd_queued_message *e,
    struct smtpd_flight *f)
{
	bool ended;

	pthread_mutex_lock(&s->mutex);
	while (must_wait(e))
		pthread_cond_wait(&s->landed, &s->mutex);
	ended = (e->flags & SMTPD_MESSAGE_ENDED) != 0;
	if (!ended) {
		f->message = e;
		f->next = s->flights;
		s->flights = f;
	}
	pthread_mutex_unlock(&s->mutex);
	return !ended;
}

void
smtpd__spool_leave(struct smtpd_spool *s, struct smtpd_flight *f)
{
	struct smtpd_flight **at = &s->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	pthread_cond_broadcast(&s->landed);
}

/* Whether somebody reports progress of E. */
static bool
is_busy(const struct smtpd_spool *s, const struct smtpd_queued_message *e)
{
	const struct smtpd_flight *f = s->flights;

	while (f != NULL && f->message != e)
		f = f->next;
	return f != NULL;
}

bool
smtpd__spool_messages_lock(
    struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	while ((e->flags & SMTPD_MESSAGE_LOCKED) != 0)
		pthread_cond_wait(&s->landed, &s->mutex);
	if ((e->flags & SMTPD_MESSAGE_ENDED) != 0)
		return false;
	e->flags |= SMTPD_MESSAGE_LOCKED;
	while (is_busy(s, e))
		pthread_cond_wait(&s->landed, &s->mutex);
	if ((e->flags & SMTPD_MESSAGE_ENDED) == 0)
		return true;
	smtpd__spool_messages_unlock(s, e);
	return false;
}

void
smtpd__spool_messages_unlock(
    struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	e->flags &= (uint16_t)~SMTPD_MESSAGE_LOCKED;
	pthread_cond_broadcast(&s->landed);
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
