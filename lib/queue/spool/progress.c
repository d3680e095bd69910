/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/spool/core.h"

/* A progress on its way into the log. */
struct step {
	const struct smtpd_progress *progress;
	struct smtpd_record_progress record;
	struct smtpd_pack head;
	struct smtpd_pack results; /* and the history */
	struct iovec body;
	unsigned char *done; /* a bit for each recipient of the job, as they
	                      * will be */
};

static bool
is_done(const struct step *st, uint32_t i)
{
	return (st->done[i / 8] & 1u << i % 8) != 0;
}

static void
set_done(struct step *st, uint32_t i)
{
	st->done[i / 8] |= (unsigned char)(1u << i % 8);
}

/* Find out who will be finished: what is new of it is counted in the record,
 * and whether that are all. */
static int
count_finished(struct step *st)
{
	const struct smtpd_progress *p = st->progress;
	const struct smtpd_delivery_job *job = p->job;
	uint32_t left = 0;

	st->done = calloc(((size_t)job->count + 7) / 8, 1);
	if (st->done == NULL)
		return -1;
	for (uint32_t i = 0; i < job->count; i++) {
		if (smtpd__queued_message_is_finished(
			job->message, job, job->first + i))
			set_done(st, i);
		else
			left++;
	}
	for (size_t k = 0; k < p->nrcpts; k++) {
		uint32_t i = p->rcpts[k].rcpt - job->first;

		if (i >= job->count) {
			errno = EINVAL;
			return -1;
		}
		if (!p->rcpts[k].finished || is_done(st, i))
			continue;
		set_done(st, i);
		st->record.nfinished++;
		left--;
	}
	if (left == 0) {
		st->record.flags |= SMTPD_RECORD_FINISHED;
		st->record.nfinished = 0;
	}
	return 0;
}

static void
fill_record(struct smtpd_spool *s, struct step *st)
{
	const struct smtpd_progress *p = st->progress;
	const struct smtpd_delivery_job *job = p->job;
	struct smtpd_record_progress *r = &st->record;

	r->stamp = smtpd__spool_stamp(s);
	r->id = job->message->id;
	r->job = (uint16_t)(job - job->message->jobs);
	r->due = p->due;
	r->attempts = p->attempts;
	r->previous = job->history;
	if (p->delay_notice_sent)
		r->flags |= SMTPD_RECORD_NOTICE_GIVEN;
	if (p->in_doubt)
		r->flags |= SMTPD_RECORD_UNSURE;
}

/* Append the numbers of those that are newly finished, unless all are. */
static void
put_finished(struct step *st)
{
	const struct smtpd_delivery_job *job = st->progress->job;

	if (st->record.nfinished == 0)
		return;
	for (uint32_t i = 0; i < job->count; i++)
		if (is_done(st, i) &&
		    !smtpd__queued_message_is_finished(
			job->message, job, job->first + i))
			smtpd__pack_u32(&st->head, job->first + i);
}

/* Write the record.  The message was entered. */
static int
encode(struct smtpd_spool *s, struct step *st)
{
	const struct smtpd_progress *p = st->progress;

	if (count_finished(st) == -1)
		return -1;
	fill_record(s, st);
	for (size_t k = 0; k < p->nrcpts; k++)
		smtpd__record_put_result(&st->results, &p->rcpts[k]);
	st->record.results_len = (uint32_t)st->results.len;
	smtpd__record_put_progress(&st->head, &st->record);
	put_finished(st);
	smtpd__pack_bytes(&st->results, p->history, p->history_len);
	st->body = (struct iovec){ st->results.data, st->results.len };
	if (!st->head.failed && !st->results.failed)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* Have room for what will be known. */
static int
make_room(struct smtpd_spool *s, const struct step *st)
{
	bool has_room = true;

	if (st->record.nfinished == 0)
		return 0;
	pthread_mutex_lock(&s->mutex);
	has_room = smtpd__spool_messages_need_bits(st->progress->job->message);
	pthread_mutex_unlock(&s->mutex);
	return has_room ? 0 : -1;
}

static struct smtpd_disk_entry
progress_record(const struct step *st)
{
	return (struct smtpd_disk_entry){
		.type = SMTPD_RECORD_PROGRESS,
		.head = st->head.data,
		.head_len = st->head.len,
		.body = &st->body,
		.body_count = 1,
	};
}

static int
append(struct smtpd_spool *s, const struct step *st,
    const struct smtpd_addition *report, struct smtpd_disk_entry records[2])
{
	size_t n = 0;

	if (report != NULL)
		smtpd__addition_record(report, &records[n++]);
	records[n++] = progress_record(st);
	return smtpd__disk_append(s->log, records, n, SMTPD_DISK_ESSENTIAL);
}

/* The mutex is held.  Return whether the message has ended by that. */
static bool
apply(
    struct smtpd_spool *s, const struct step *st, struct smtpd_disk_place place)
{
	struct smtpd_delivery_job *job = st->progress->job;
	struct smtpd_queued_message *e = job->message;

	for (uint32_t i = 0; st->record.nfinished > 0 && i < job->count; i++)
		if (is_done(st, i))
			smtpd__spool_messages_finish_rcpt(e, job->first + i);
	smtpd__spool_messages_apply(job, &st->record, place);
	if (e->unfinished > 0)
		return false;
	smtpd__spool_messages_end(s, e);
	return true;
}

/* The message was entered, and is left. */
static int
record(struct smtpd_spool *s, struct step *st, struct smtpd_flight *flight,
    struct smtpd_addition *addition, struct smtpd_queued_message **report)
{
	struct smtpd_disk_entry records[2];
	bool ended = false;
	int error;
	int status = encode(s, st);

	if (status == 0)
		status = make_room(s, st);
	if (status == 0)
		status = append(s, st, addition, records);
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		ended = apply(s, st, records[addition != NULL].place);
	smtpd__spool_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	if (status == 0 && addition != NULL)
		*report = smtpd__addition_finish(s, addition, &records[0]);
	if (ended)
		smtpd__spool_messages_release(s, st->progress->job->message);
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
		if (smtpd__addition_begin(s, p->report, &addition) == -1)
			return -1;
		a = &addition;
	}
	if (smtpd__spool_enter(s, p->job->message, &flight))
		status = record(s, &st, &flight, a, report);
	if (a != NULL && *report == NULL)
		smtpd__addition_cancel(s, a);
	smtpd__pack_free(&st.head);
	smtpd__pack_free(&st.results);
	free(st.done);
	return status;
}

/* A message that has ended, if what says so reaches the disk. */
struct smtpd_pending_commit {
	struct smtpd_spool *spool;
	struct smtpd_queued_message *message; /* pinned */
	struct step step;
	struct smtpd_disk_entry record;
	struct smtpd_disk_promise promise;
};

static void
free_note(struct smtpd_pending_commit *n)
{
	smtpd__pack_free(&n->step.head);
	smtpd__pack_free(&n->step.results);
	free(n->step.done);
	free(n);
}

/* Whether the end of JOB is that of its message. */
static bool
is_last(struct smtpd_spool *s, const struct smtpd_delivery_job *job)
{
	bool last;

	pthread_mutex_lock(&s->mutex);
	last = job->message->unfinished == 1;
	pthread_mutex_unlock(&s->mutex);
	return last;
}

/* The message was entered, and is left: ended, without what it has in the log
 * being let go. */
static int
begin_note(struct smtpd_spool *s, struct smtpd_pending_commit *n,
    struct smtpd_flight *flight)
{
	struct step *st = &n->step;
	int status = encode(s, st);
	int error;

	if (status == 0) {
		n->record = progress_record(st);
		status = smtpd__disk_append_begin(
		    s->log, &n->record, 1, SMTPD_DISK_ESSENTIAL, &n->promise);
	}
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0) {
		n->message->pins++;
		apply(s, st, n->record.place);
	}
	smtpd__spool_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return status;
}

int
smtpd__spool_progress_begin(struct smtpd_spool *s,
    const struct smtpd_progress *p, struct smtpd_pending_commit **note)
{
	struct smtpd_queued_message *report;
	struct smtpd_flight flight;
	struct smtpd_pending_commit *n;
	int status = 0;

	*note = NULL;
	if (!is_last(s, p->job))
		return smtpd__spool_progress(s, p, &report);
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return -1;
	n->spool = s;
	n->message = p->job->message;
	n->step.progress = p;
	if (smtpd__spool_enter(s, n->message, &flight)) {
		status = begin_note(s, n, &flight);
		if (status == 0) {
			*note = n;
			return 0;
		}
	}
	free_note(n);
	return status;
}

int
smtpd__pending_commit_wait(struct smtpd_pending_commit *n)
{
	struct smtpd_spool *s = n->spool;

	if (smtpd__disk_append_end(s->log, &n->promise) == -1 &&
	    smtpd__disk_append(s->log, &n->record, 1, SMTPD_DISK_ESSENTIAL) ==
		-1)
		return -1;
	smtpd__spool_messages_release(s, n->message);
	smtpd__spool_unpin(s, n->message);
	free_note(n);
	return 0;
}

void
smtpd__pending_commit_abandon(struct smtpd_pending_commit *n)
{
	smtpd__spool_unpin(n->spool, n->message);
	free_note(n);
}
