/* SPDX-License-Identifier: MIT */
#include "queue/spool/progress.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/append_order.h"
#include "queue/spool/messages.h"

/* A progress record: built, appended, and applied to the job. */
struct step {
	const struct smtpd_progress *progress;
	struct smtpd_record_progress fields;
	struct smtpd_pack head;
	struct smtpd_pack results; /* and the history */
	struct iovec body;
	struct smtpd_journal_record record; /* to be appended */
	bool *done; /* for each recipient of the job, as they will be */
};

struct smtpd_pending_commit {
	struct smtpd_spool *spool;
	struct smtpd_queued_message *message; /* pinned */
	struct step step;
	struct smtpd_journal_promise promise;
};

/* Find out which recipients will be finished: those that are new are counted in
 * the record, and whether that are all. */
static int
count_finished(struct step *st)
{
	const struct smtpd_progress *p = st->progress;
	const struct smtpd_delivery_job *job = p->job;
	uint32_t left = job->count;

	st->done = calloc(job->count, sizeof(*st->done));
	if (st->done == NULL)
		return -1;
	for (uint32_t i = 0; i < job->count; i++) {
		if (!smtpd__queued_message_is_finished(
			job->message, job, job->first + i))
			continue;
		st->done[i] = true;
		left--;
	}
	for (size_t k = 0; k < p->nrcpts; k++) {
		uint32_t i = p->rcpts[k].rcpt - job->first;

		if (i >= job->count) {
			errno = EINVAL;
			return -1;
		}
		if (!p->rcpts[k].finished || st->done[i])
			continue;
		st->done[i] = true;
		st->fields.nfinished++;
		left--;
	}
	if (left == 0) {
		st->fields.flags |= SMTPD_RECORD_FINISHED;
		st->fields.nfinished = 0;
	}
	return 0;
}

/* Build the record of ST->progress, whose message was entered.  Return 0, or -1
 * with errno. */
static int
encode_step(struct smtpd_spool *s, struct step *st)
{
	const struct smtpd_progress *p = st->progress;
	const struct smtpd_delivery_job *job = p->job;
	struct smtpd_record_progress *r = &st->fields;

	if (count_finished(st) == -1)
		return -1;
	for (size_t k = 0; k < p->nrcpts; k++)
		smtpd__record_put_result(&st->results, &p->rcpts[k]);
	r->stamp = smtpd__spool_clock_stamp(s);
	r->id = job->message->id;
	r->job = (uint16_t)(job - job->message->jobs);
	r->due = p->due;
	r->attempts = p->attempts;
	r->previous = job->history;
	r->results_len = (uint32_t)st->results.len;
	if (p->delay_notice_sent)
		r->flags |= SMTPD_RECORD_NOTICE_GIVEN;
	if (p->in_doubt)
		r->flags |= SMTPD_RECORD_UNSURE;
	smtpd__record_put_progress(&st->head, r);
	/* The numbers of those that are newly finished, unless all are. */
	for (uint32_t i = 0; st->fields.nfinished > 0 && i < job->count; i++)
		if (st->done[i] &&
		    !smtpd__queued_message_is_finished(
			job->message, job, job->first + i))
			smtpd__pack_u32(&st->head, job->first + i);
	smtpd__pack_bytes(&st->results, p->history, p->history_len);
	if (st->head.failed || st->results.failed) {
		errno = ENOMEM;
		return -1;
	}
	st->body = (struct iovec){ st->results.data, st->results.len };
	st->record = (struct smtpd_journal_record){
		.subject = st->fields.id,
		.beside = job->message->ref,
		.type = SMTPD_RECORD_PROGRESS,
		.head = st->head.data,
		.head_len = st->head.len,
		.body = &st->body,
		.body_count = 1,
	};
	return 0;
}

/* The record was appended: change the job.  The mutex is held.  Return whether
 * the message has ended by that. */
static bool
apply_step(struct smtpd_spool *s, const struct step *st)
{
	struct smtpd_delivery_job *job = st->progress->job;
	struct smtpd_queued_message *e = job->message;

	for (uint32_t i = 0; st->fields.nfinished > 0 && i < job->count; i++)
		if (st->done[i])
			smtpd__queued_message_finish_rcpt(e, job->first + i);
	smtpd__spool_messages_apply(job, &st->fields, st->record.ref);
	if (e->unfinished > 0)
		return false;
	smtpd__spool_messages_end(s, e);
	return true;
}

static void
free_step(struct step *st)
{
	smtpd__pack_free(&st->head);
	smtpd__pack_free(&st->results);
	free(st->done);
}

/* Append the record of ST, behind that of REPORT if it is not NULL, in one
 * group.  Have room before for what will be known after it. */
static int
append_step(
    struct smtpd_spool *s, struct step *st, struct smtpd_addition *report)
{
	struct smtpd_journal_record records[2];
	bool has_room = true;
	size_t n = 0;

	if (st->fields.nfinished > 0) {
		pthread_mutex_lock(&s->mutex);
		has_room =
		    smtpd__queued_message_need_bits(st->progress->job->message);
		pthread_mutex_unlock(&s->mutex);
	}
	if (!has_room)
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
end_life(struct smtpd_spool *s, const struct smtpd_queued_message *e)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(e->id, id);
	smtpd__logger_write(
	    &s->settings.logger, SMTPD_LOG_INFO, "id=%s status=done", id);
	smtpd__spool_messages_release(s, e);
}

/* Record the step ST.  Its message was entered, and is left. */
static int
record_step(struct smtpd_spool *s, struct step *st, struct smtpd_flight *flight,
    struct smtpd_addition *addition, struct smtpd_queued_message **report)
{
	bool ended = false;
	int error;
	int status = encode_step(s, st);

	if (status == 0)
		status = append_step(s, st, addition);
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		ended = apply_step(s, st);
	smtpd__append_order_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	if (status == 0 && addition != NULL)
		*report = smtpd__spool_add_finish(s, addition);
	if (ended)
		end_life(s, st->progress->job->message);
	errno = error;
	return status;
}

int
smtpd__spool_progress(struct smtpd_spool *s, const struct smtpd_progress *p,
    struct smtpd_queued_message **report)
{
	struct smtpd_addition addition, *a = NULL;
	struct step st = { .progress = p };
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
	free_step(&st);
	return status;
}

/* Begin to append the record of C, whose message was entered, and is left: it
 * has ended, but what it has in the journal is not released. */
static int
begin_commit(struct smtpd_spool *s, struct smtpd_pending_commit *c,
    struct smtpd_flight *flight)
{
	struct step *st = &c->step;
	int status = encode_step(s, st);
	int error;

	if (status == 0) {
		st->record.ends = true;
		status = smtpd__journal_append_begin(s->journal, &st->record, 1,
		    SMTPD_JOURNAL_ESSENTIAL, &c->promise);
	}
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0) {
		c->message->pins++;
		apply_step(s, st);
	}
	smtpd__append_order_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return status;
}

int
smtpd__spool_progress_begin(struct smtpd_spool *s,
    const struct smtpd_progress *p, struct smtpd_pending_commit **commit)
{
	struct smtpd_queued_message *report;
	struct smtpd_flight flight;
	struct smtpd_pending_commit *c;
	int status = 0;
	bool last;

	*commit = NULL;
	pthread_mutex_lock(&s->mutex);
	last = p->job->message->unfinished == 1;
	pthread_mutex_unlock(&s->mutex);
	if (!last)
		return smtpd__spool_progress(s, p, &report);
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -1;
	c->spool = s;
	c->message = p->job->message;
	c->step.progress = p;
	if (smtpd__append_order_enter(s, c->message, &flight)) {
		status = begin_commit(s, c, &flight);
		if (status == 0) {
			*commit = c;
			return 0;
		}
	}
	free_step(&c->step);
	free(c);
	return status;
}

int
smtpd__spool_progress_wait(struct smtpd_pending_commit *c)
{
	struct smtpd_spool *s = c->spool;

	if (smtpd__journal_append_end(s->journal, &c->promise) == -1 &&
	    smtpd__journal_append(
		s->journal, &c->step.record, 1, SMTPD_JOURNAL_ESSENTIAL) == -1)
		return -1;
	end_life(s, c->message);
	smtpd__spool_progress_abandon(c);
	return 0;
}

void
smtpd__spool_progress_abandon(struct smtpd_pending_commit *c)
{
	smtpd__spool_unpin(c->spool, c->message);
	free_step(&c->step);
	free(c);
}
