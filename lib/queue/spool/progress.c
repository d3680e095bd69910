/* SPDX-License-Identifier: MIT */
#include "queue/spool/progress.h"

#include <errno.h>

#include "queue/spool/addition.h"
#include "queue/spool/append_order.h"
#include "queue/spool/messages.h"
#include "queue/spool/progress_step.h"

/* Have room for what will be known. */
static int
make_room(struct smtpd_spool *s, const struct smtpd_progress_step *st)
{
	bool has_room = true;

	if (st->record.nfinished == 0)
		return 0;
	pthread_mutex_lock(&s->mutex);
	has_room = smtpd__spool_messages_need_bits(st->progress->job->message);
	pthread_mutex_unlock(&s->mutex);
	return has_room ? 0 : -1;
}

static int
append(struct smtpd_spool *s, const struct smtpd_progress_step *st,
    const struct smtpd_addition *report, struct smtpd_journal_record records[2])
{
	size_t n = 0;

	if (report != NULL)
		smtpd__addition_record(report, &records[n++]);
	records[n++] = smtpd__progress_step_record(st);
	return smtpd__journal_append(
	    s->journal, records, n, SMTPD_JOURNAL_ESSENTIAL);
}

/* The message was entered, and is left. */
static int
record(struct smtpd_spool *s, struct smtpd_progress_step *st,
    struct smtpd_flight *flight, struct smtpd_addition *addition,
    struct smtpd_queued_message **report)
{
	struct smtpd_journal_record records[2];
	bool ended = false;
	int error;
	int status = smtpd__progress_step_encode(s, st);

	if (status == 0)
		status = make_room(s, st);
	if (status == 0)
		status = append(s, st, addition, records);
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		ended = smtpd__progress_step_apply(
		    s, st, records[addition != NULL].ref);
	smtpd__append_order_leave(s, flight);
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
	struct smtpd_progress_step st = { .progress = p };
	struct smtpd_flight flight;
	int status = 0;

	*report = NULL;
	if (p->report != NULL) {
		if (smtpd__addition_begin(s, p->report, &addition) == -1)
			return -1;
		a = &addition;
	}
	if (smtpd__append_order_enter(s, p->job->message, &flight))
		status = record(s, &st, &flight, a, report);
	if (a != NULL && *report == NULL)
		smtpd__addition_cancel(s, a);
	smtpd__progress_step_free(&st);
	return status;
}
