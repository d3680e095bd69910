/* SPDX-License-Identifier: MIT */
#include "queue/spool/progress.h"

#include <errno.h>
#include <stdlib.h>

#include "os/clock.h"
#include "queue/spool/append_order.h"
#include "queue/spool/messages.h"
#include "queue/spool/step.h"

/* A step that was taken, but may not be on stable storage yet. */
struct smtpd_begun_step {
	struct smtpd_begun_step *next;
	struct smtpd_delivery_job *job; /* its message is pinned */
	uint64_t since;                 /* as smtpd__clock_ms() */
	bool ended;                     /* its message has, by it */
	bool released;                  /* and so was the record of that */
	struct smtpd_step step;
	struct smtpd_journal_promise promise;
};

/* Append the record of ST, behind that of REPORT if it is not NULL, in one
 * group. */
static int
append_step(
    struct smtpd_spool *s, struct smtpd_step *st, struct smtpd_addition *report)
{
	struct smtpd_journal_record records[2];
	size_t n = 0;

	if (smtpd__step_make_room(s, st) == -1)
		return -1;
	if (report != NULL)
		records[n++] = report->record;
	records[n++] = st->record;
	if (smtpd__journal_append(
		s->journal, records, n, SMTPD_JOURNAL_ESSENTIAL) == -1)
		return -1;
	if (report != NULL)
		report->record = records[0];
	st->record = records[n - 1];
	return 0;
}

/* The life of E, a message, is over: all its recipients have ended. */
static void
log_end(struct smtpd_spool *s, const struct smtpd_queued_message *e)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(e->id, id);
	smtpd__logger_write(
	    &s->settings.logger, SMTPD_LOG_INFO, "id=%s status=done", id);
}

/* Record the step ST.  Its message was entered, and is left. */
static int
record_step(struct smtpd_spool *s, struct smtpd_step *st,
    struct smtpd_flight *flight, struct smtpd_addition *addition,
    struct smtpd_queued_message **report)
{
	bool ended = false;
	int error;
	int status = smtpd__step_encode(s, st);

	if (status == 0)
		status = append_step(s, st, addition);
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		ended = smtpd__step_apply(s, st);
	smtpd__append_order_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	if (status == 0 && addition != NULL)
		*report = smtpd__spool_add_finish(s, addition);
	if (ended) {
		log_end(s, st->progress->job->message);
		smtpd__spool_messages_release(s, st->progress->job->message);
	}
	errno = error;
	return status;
}

int
smtpd__spool_progress(struct smtpd_spool *s, const struct smtpd_progress *p,
    struct smtpd_queued_message **report)
{
	struct smtpd_addition addition, *a = NULL;
	struct smtpd_step st = { .progress = p };
	struct smtpd_flight flight;
	int status = 0;

	*report = NULL;
	if (p->report != NULL) {
		if (smtpd__spool_add_begin(s, p->report, &addition) == -1)
			return -1;
		a = &addition;
	}
	if (smtpd__append_order_enter(s, p->job->message, &flight))
		status = record_step(s, &st, &flight, a, report);
	if (a != NULL && *report == NULL)
		smtpd__spool_add_cancel(s, a);
	smtpd__step_free(&st);
	return status;
}

/* Put B behind all that were begun before it.  The mutex is held. */
static void
add_begun(struct smtpd_spool *s, struct smtpd_begun_step *b)
{
	b->since = smtpd__clock_ms();
	if (s->last_begun != NULL)
		s->last_begun->next = b;
	else
		s->begun = b;
	s->last_begun = b;
}

/* Write the record of B, whose message was entered, and is left: it may have
 * ended by that, but what it has in the journal is not released. */
static int
begin_step(struct smtpd_spool *s, struct smtpd_begun_step *b,
    struct smtpd_flight *flight)
{
	struct smtpd_queued_message *e = b->job->message;
	struct smtpd_step *st = &b->step;
	int status = smtpd__step_encode(s, st);
	int error;

	if (status == 0)
		status = smtpd__step_make_room(s, st);
	pthread_mutex_lock(&s->mutex);
	st->record.ends = e->unfinished == 1 &&
	    (st->fields.flags & SMTPD_RECORD_FINISHED) != 0;
	pthread_mutex_unlock(&s->mutex);
	if (status == 0)
		status = smtpd__journal_append_begin(s->journal, &st->record, 1,
		    SMTPD_JOURNAL_ESSENTIAL, &b->promise);
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0) {
		e->pins++;
		b->ended = smtpd__step_apply(s, st);
		add_begun(s, b);
	}
	smtpd__append_order_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return status;
}

static void
free_begun(struct smtpd_begun_step *b)
{
	smtpd__step_free(&b->step);
	free(b);
}

int
smtpd__spool_progress_begin(
    struct smtpd_spool *s, const struct smtpd_progress *p)
{
	struct smtpd_begun_step *b = calloc(1, sizeof(*b));
	struct smtpd_flight flight;
	int error;

	if (b == NULL)
		return -1;
	b->job = p->job;
	b->step.progress = p;
	if (!smtpd__append_order_enter(s, p->job->message, &flight)) {
		free_begun(b);
		return 0;
	}
	if (begin_step(s, b, &flight) == 0)
		return 0;
	error = errno;
	free_begun(b);
	errno = error;
	return -1;
}

uint64_t
smtpd__spool_progress_since(struct smtpd_spool *s)
{
	uint64_t since;

	pthread_mutex_lock(&s->mutex);
	since = s->begun != NULL ? s->begun->since : 0;
	pthread_mutex_unlock(&s->mutex);
	return since;
}

/* Write the head of B anew, with what is known of its job by now: it may come
 * behind later records of that. */
static int
renew_head(struct smtpd_begun_step *b)
{
	struct smtpd_step *st = &b->step;
	struct smtpd_record_progress *r = &st->fields;
	size_t numbers = 4 * (size_t)r->nfinished;
	struct smtpd_pack head = { 0 };

	r->due = b->job->due;
	r->attempts = b->job->attempts;
	if (b->job->delay_notice_sent)
		r->flags |= SMTPD_RECORD_NOTICE_GIVEN;
	if (b->job->in_doubt)
		r->flags |= SMTPD_RECORD_UNSURE;
	smtpd__record_put_progress(&head, r);
	smtpd__pack_bytes(
	    &head, st->head.data + st->head.len - numbers, numbers);
	if (head.failed) {
		smtpd__pack_free(&head);
		errno = ENOMEM;
		return -1;
	}
	smtpd__pack_free(&st->head);
	st->head = head;
	st->record.head = head.data;
	st->record.head_len = head.len;
	return 0;
}

/* The record of B was lost: append it once more, and wait for that. */
static int
append_again(struct smtpd_spool *s, struct smtpd_begun_step *b)
{
	struct smtpd_journal_record again;
	struct smtpd_flight flight;
	/* Nothing else is appended of a message that has ended. */
	bool entered = smtpd__append_order_enter(s, b->job->message, &flight);
	int status = renew_head(b);
	int error;

	again = b->step.record;
	if (status == 0)
		status = smtpd__journal_append(
		    s->journal, &again, 1, SMTPD_JOURNAL_ESSENTIAL);
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0 && b->job->history.value == b->step.record.ref.value)
		b->job->history = again.ref;
	if (entered)
		smtpd__append_order_leave(s, &flight);
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return status;
}

/* Release the records of all messages that have ended, though that is not on
 * stable storage: the disk is full, and they may be what keeps the segment that
 * is to be emptied.  Once that is gone nothing is left to be sent again. */
static void
release_ended(struct smtpd_spool *s)
{
	struct smtpd_begun_step *b;

	pthread_mutex_lock(&s->mutex);
	for (b = s->begun; b != NULL; b = b->next) {
		const struct smtpd_queued_message *e = b->job->message;

		if (!b->ended || b->released)
			continue;
		b->released = true;
		smtpd__journal_release(
		    s->journal, e->id, e->ref, e->record_size);
	}
	pthread_mutex_unlock(&s->mutex);
}

/* The oldest step that was begun; NULL: there is none. */
static struct smtpd_begun_step *
first_begun(struct smtpd_spool *s)
{
	struct smtpd_begun_step *b;

	pthread_mutex_lock(&s->mutex);
	b = s->begun;
	pthread_mutex_unlock(&s->mutex);
	return b;
}

/* Take the first step that was begun, which is B, out of the list, and free
 * it. */
static void
drop_begun(struct smtpd_spool *s, struct smtpd_begun_step *b)
{
	struct smtpd_queued_message *e = b->job->message;

	pthread_mutex_lock(&s->mutex);
	s->begun = b->next;
	if (s->begun == NULL)
		s->last_begun = NULL;
	pthread_mutex_unlock(&s->mutex);
	free_begun(b);
	smtpd__spool_unpin(s, e);
}

/* B is on stable storage: what its message, if it has ended, has in the journal
 * is not needed any more. */
static void
finish_begun(struct smtpd_spool *s, struct smtpd_begun_step *b)
{
	const struct smtpd_queued_message *e = b->job->message;

	if (b->ended)
		log_end(s, e);
	if (b->ended && !b->released)
		smtpd__spool_messages_release(s, e);
	else if (b->ended && (e->flags & SMTPD_MESSAGE_LARGE) != 0)
		smtpd__content_remove(s->journal, e->id);
	drop_begun(s, b);
}

int
smtpd__spool_progress_sync(struct smtpd_spool *s)
{
	struct smtpd_begun_step *b = first_begun(s), *last;
	bool more = true;

	pthread_mutex_lock(&s->mutex);
	last = s->last_begun;
	pthread_mutex_unlock(&s->mutex);
	while (b != NULL && more) {
		if (smtpd__journal_append_end(s->journal, &b->promise) == -1 &&
		    append_again(s, b) == -1) {
			int error = errno;

			if (error == ENOSPC)
				release_ended(s);
			errno = error;
			return -1;
		}
		more = b != last;
		finish_begun(s, b);
		b = first_begun(s);
	}
	return 0;
}

void
smtpd__spool_progress_abandon(struct smtpd_spool *s)
{
	struct smtpd_begun_step *b;

	while ((b = first_begun(s)) != NULL) {
		if (smtpd__journal_append_end(s->journal, &b->promise) == 0)
			finish_begun(s, b);
		else
			drop_begun(s, b);
	}
}
