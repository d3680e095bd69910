/* SPDX-License-Identifier: MIT */
#include "queue/spool/step.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/messages.h"

/* Find out which recipients will be finished: those that are new are counted in
 * the record, and whether that are all. */
static int
count_finished(struct smtpd_step *st)
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

int
smtpd__step_encode(struct smtpd_spool *s, struct smtpd_step *st)
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

bool
smtpd__step_apply(struct smtpd_spool *s, const struct smtpd_step *st)
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

int
smtpd__step_make_room(struct smtpd_spool *s, const struct smtpd_step *st)
{
	bool has_room;

	if (st->fields.nfinished == 0)
		return 0;
	pthread_mutex_lock(&s->mutex);
	has_room = smtpd__queued_message_need_bits(st->progress->job->message);
	pthread_mutex_unlock(&s->mutex);
	return has_room ? 0 : -1;
}

void
smtpd__step_free(struct smtpd_step *st)
{
	smtpd__pack_free(&st->head);
	smtpd__pack_free(&st->results);
	free(st->done);
}
