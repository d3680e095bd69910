/* SPDX-License-Identifier: MIT */
#include "queue/spool/progress_step.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/messages.h"

static bool
is_done(const struct smtpd_progress_step *st, uint32_t i)
{
	return (st->done[i / 8] & 1u << i % 8) != 0;
}

static void
set_done(struct smtpd_progress_step *st, uint32_t i)
{
	st->done[i / 8] |= (unsigned char)(1u << i % 8);
}

/* Find out who will be finished: what is new of it is counted in the record,
 * and whether that are all. */
static int
count_finished(struct smtpd_progress_step *st)
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
fill_record(struct smtpd_spool *s, struct smtpd_progress_step *st)
{
	const struct smtpd_progress *p = st->progress;
	const struct smtpd_delivery_job *job = p->job;
	struct smtpd_record_progress *r = &st->record;

	r->stamp = smtpd__spool_core_stamp(s);
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
put_finished(struct smtpd_progress_step *st)
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

int
smtpd__progress_step_encode(
    struct smtpd_spool *s, struct smtpd_progress_step *st)
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

struct smtpd_journal_record
smtpd__progress_step_record(const struct smtpd_progress_step *st)
{
	return (struct smtpd_journal_record){
		.subject = st->record.id,
		.beside = st->progress->job->message->ref,
		.type = SMTPD_RECORD_PROGRESS,
		.head = st->head.data,
		.head_len = st->head.len,
		.body = &st->body,
		.body_count = 1,
	};
}

bool
smtpd__progress_step_apply(struct smtpd_spool *s,
    const struct smtpd_progress_step *st, struct smtpd_record_ref ref)
{
	struct smtpd_delivery_job *job = st->progress->job;
	struct smtpd_queued_message *e = job->message;

	for (uint32_t i = 0; st->record.nfinished > 0 && i < job->count; i++)
		if (is_done(st, i))
			smtpd__spool_messages_finish_rcpt(e, job->first + i);
	smtpd__spool_messages_apply(job, &st->record, ref);
	if (e->unfinished > 0)
		return false;
	smtpd__spool_messages_end(s, e);
	return true;
}

void
smtpd__progress_step_free(struct smtpd_progress_step *st)
{
	smtpd__pack_free(&st->head);
	smtpd__pack_free(&st->results);
	free(st->done);
}
