/* SPDX-License-Identifier: MIT */
#include "queue/delivery/opened_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/delivery/dispatch.h"
#include "queue/delivery/report.h"

/* The message of JOB could not be read, for ERROR: give it up, unless that may
 * pass, and there is time. */
static void
abandon_unread(
    struct smtpd_delivery *d, struct smtpd_delivery_job *job, int error)
{
	struct smtpd_retry_facts facts = { .tried = true };
	struct smtpd_retry retry;

	pthread_mutex_lock(&d->lock);
	retry = smtpd__schedule_retry(
	    d->schedule, job, &facts, smtpd__spool_clock_now(d->spool));
	pthread_mutex_unlock(&d->lock);
	if (smtpd__spool_load_failed(
		d->spool, job->message, error, retry.expired))
		smtpd__report_lost(d, job->message,
		    error == EBADMSG ? "it is damaged" : strerror(error));
}

/* Add recipient number RCPT to S, not sent to yet. */
static void
list_rcpt(struct smtpd_disposition *s, uint32_t rcpt)
{
	struct smtpd_rcpt_progress *r = &s->rcpts[s->nrcpts++];

	r->rcpt = rcpt;
	r->result.outcome = SMTPD_OUTCOME_TEMPORARY;
}

/*
 * Begin S: read the message of JOB, all of it, as what is damaged is not sent,
 * and list the recipients that are not finished.  Return 0, or -1 after JOB was
 * given up.
 */
static int
open_message(struct smtpd_delivery *d, struct smtpd_delivery_job *job,
    struct smtpd_loaded_message *loaded, struct smtpd_disposition *s)
{
	bool opened = smtpd__spool_load(d->spool, job->message, loaded) == 0;
	int error = 0;

	*s = (struct smtpd_disposition){ .job = job, .loaded = loaded };
	if (!opened || smtpd__loaded_message_check(loaded) == -1)
		error = errno;
	else
		s->rcpts = calloc(job->count, sizeof(*s->rcpts));
	if (s->rcpts != NULL) {
		smtpd__spool_load_worked(d->spool, job->message);
		for (uint32_t i = 0; i < job->count; i++)
			if (!smtpd__queued_message_is_finished(
				job->message, job, job->first + i))
				list_rcpt(s, job->first + i);
		return 0;
	}
	if (opened)
		smtpd__loaded_message_finish(loaded);
	if (error != 0)
		abandon_unread(d, job, error);
	smtpd__dispatch_return(d, job, SMTPD_RETURN_POSTPONED);
	return -1;
}

void
smtpd__opened_job_close(struct smtpd_opened_job *o)
{
	free(o->s.rcpts);
	smtpd__loaded_message_finish(&o->loaded);
	free(o);
}

struct smtpd_opened_job *
smtpd__opened_job_open(struct smtpd_delivery *d, struct smtpd_delivery_job *job)
{
	struct smtpd_opened_job *o = calloc(1, sizeof(*o));

	if (o == NULL) {
		smtpd__dispatch_return(d, job, SMTPD_RETURN_POSTPONED);
		return NULL;
	}
	o->job = job;
	if (open_message(d, job, &o->loaded, &o->s) == 0)
		return o;
	free(o);
	return NULL;
}
