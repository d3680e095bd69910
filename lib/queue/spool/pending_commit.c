/* SPDX-License-Identifier: MIT */
#include "queue/spool/pending_commit.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/append_order.h"
#include "queue/spool/messages.h"
#include "queue/spool/progress_step.h"

struct smtpd_pending_commit {
	struct smtpd_spool *spool;
	struct smtpd_queued_message *message; /* pinned */
	struct smtpd_progress_step step;
	struct smtpd_journal_record record;
	struct smtpd_journal_promise promise;
};

static void
free_commit(struct smtpd_pending_commit *c)
{
	smtpd__progress_step_free(&c->step);
	free(c);
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
begin_commit(struct smtpd_spool *s, struct smtpd_pending_commit *c,
    struct smtpd_flight *flight)
{
	struct smtpd_progress_step *st = &c->step;
	int status = smtpd__progress_step_encode(s, st);
	int error;

	if (status == 0) {
		c->record = smtpd__progress_step_record(st);
		c->record.ends = true;
		status = smtpd__journal_append_begin(s->journal, &c->record, 1,
		    SMTPD_JOURNAL_ESSENTIAL, &c->promise);
	}
	error = errno;
	pthread_mutex_lock(&s->mutex);
	if (status == 0) {
		c->message->pins++;
		smtpd__progress_step_apply(s, st, c->record.ref);
	}
	smtpd__append_order_leave(s, flight);
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return status;
}

int
smtpd__pending_commit_begin(struct smtpd_spool *s,
    const struct smtpd_progress *p, struct smtpd_pending_commit **commit)
{
	struct smtpd_queued_message *report;
	struct smtpd_flight flight;
	struct smtpd_pending_commit *c;
	int status = 0;

	*commit = NULL;
	if (!is_last(s, p->job))
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
	free_commit(c);
	return status;
}

int
smtpd__pending_commit_wait(struct smtpd_pending_commit *c)
{
	struct smtpd_spool *s = c->spool;

	if (smtpd__journal_append_end(s->journal, &c->promise) == -1 &&
	    smtpd__journal_append(
		s->journal, &c->record, 1, SMTPD_JOURNAL_ESSENTIAL) == -1)
		return -1;
	smtpd__spool_messages_release(s, c->message);
	smtpd__spool_unpin(s, c->message);
	free_commit(c);
	return 0;
}

void
smtpd__pending_commit_abandon(struct smtpd_pending_commit *c)
{
	smtpd__spool_unpin(c->spool, c->message);
	free_commit(c);
}
