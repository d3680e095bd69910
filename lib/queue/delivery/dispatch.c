/* SPDX-License-Identifier: MIT */
#include "queue/delivery/dispatch.h"

#include "base/text.h"
#include "queue/queue_state.h"

struct smtpd_destination *
smtpd__dispatch_destination(void *user, const char *domain)
{
	struct smtpd_queue *q = user;
	struct smtpd_destination *d;

	pthread_mutex_lock(&q->lock);
	d = smtpd__destination_ref(q->schedule, domain);
	pthread_mutex_unlock(&q->lock);
	return d;
}

void
smtpd__dispatch_release(void *user, struct smtpd_destination *destination)
{
	struct smtpd_queue *q = user;

	pthread_mutex_lock(&q->lock);
	smtpd__destination_unref(q->schedule, destination);
	pthread_mutex_unlock(&q->lock);
}

/* The lock is held. */
static void
insert(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	if (smtpd__schedule_insert(
		q->schedule, job, smtpd__spool_now(q->spool)) == -1)
		q->unscheduled = true;
}

/* Whether JOB is to be in the schedule.  The lock is held: who holds or removes
 * its message says so first, and takes the lock for the rest. */
static bool
is_wanted(struct smtpd_queue *q, const struct smtpd_delivery_job *job)
{
	unsigned flags = smtpd__spool_flags(q->spool, job->message);

	return !job->finished &&
	    (flags & (SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_REMOVED)) == 0;
}

/* Put in JOB unless it is in, or somebody has it.  The lock is held. */
static void
insert_new(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	if (job->state != SMTPD_JOB_OUT || !is_wanted(q, job))
		return;
	insert(q, job);
	smtpd__workers_wake(q, smtpd__destination_site(job->destination));
}

/* Wake the maintenance after something was written.  The lock is held. */
static void
stir(struct smtpd_queue *q)
{
	q->stirred = true;
	if (q->resting)
		pthread_cond_signal(&q->keep);
}

void
smtpd__dispatch_lost(void *user, struct smtpd_queued_message *message)
{
	struct smtpd_queue *q = user;

	pthread_mutex_lock(&q->lock);
	for (uint32_t i = 0; i < message->njobs; i++)
		smtpd__schedule_withdraw(q->schedule, &message->jobs[i]);
	pthread_mutex_unlock(&q->lock);
}

void
smtpd__dispatch_schedule(
    struct smtpd_queue *q, struct smtpd_queued_message *message)
{
	pthread_mutex_lock(&q->lock);
	for (uint32_t i = 0; i < message->njobs; i++)
		insert_new(q, &message->jobs[i]);
	stir(q);
	pthread_mutex_unlock(&q->lock);
	smtpd__spool_unpin(q->spool, message);
}

void
smtpd__dispatch_schedule_all(struct smtpd_queue *q)
{
	struct smtpd_queued_message *message;

	pthread_mutex_lock(&q->lock);
	q->unscheduled = false;
	pthread_mutex_unlock(&q->lock);
	for (uint64_t id = 0;
	    (message = smtpd__spool_next(q->spool, id)) != NULL;) {
		id = message->id;
		smtpd__dispatch_schedule(q, message);
	}
}

void
smtpd__dispatch_return(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	struct smtpd_queued_message *message = job->message;

	pthread_mutex_lock(&q->lock);
	if (is_wanted(q, job))
		insert(q, job);
	else
		smtpd__schedule_retire(q->schedule, job);
	stir(q);
	pthread_mutex_unlock(&q->lock);
	smtpd__spool_unpin(q->spool, message);
}

void
smtpd__dispatch_postpone(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	pthread_mutex_lock(&q->lock);
	smtpd__schedule_postpone(q->schedule, job, smtpd__spool_now(q->spool));
	pthread_mutex_unlock(&q->lock);
	smtpd__dispatch_return(q, job);
}

void
smtpd__dispatch_put_back(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	struct smtpd_queued_message *message = job->message;

	pthread_mutex_lock(&q->lock);
	if (is_wanted(q, job)) {
		smtpd__schedule_put_back(
		    q->schedule, job, smtpd__spool_now(q->spool));
		/* Its site may be new to it, and somebody idle there. */
		smtpd__workers_wake(
		    q, smtpd__destination_site(job->destination));
	} else {
		smtpd__schedule_retire(q->schedule, job);
	}
	stir(q);
	pthread_mutex_unlock(&q->lock);
	smtpd__spool_unpin(q->spool, message);
}

void
smtpd__dispatch_quarantine(
    struct smtpd_queue *q, struct smtpd_delivery_job *job, const char *why)
{
	struct smtpd_queued_message *message = job->message;

	if (smtpd__spool_quarantine(q->spool, message, why) == -1) {
		smtpd__dispatch_postpone(q, job);
		return;
	}
	smtpd__dispatch_lost(q, message);
	pthread_mutex_lock(&q->lock);
	smtpd__schedule_retire(q->schedule, job);
	pthread_mutex_unlock(&q->lock);
	smtpd__spool_unpin(q->spool, message);
}

static void
flush_job(void *user, struct smtpd_delivery_job *job)
{
	struct smtpd_queue *q = user;

	pthread_mutex_lock(&q->lock);
	smtpd__schedule_flush(q->schedule, job, smtpd__spool_now(q->spool));
	smtpd__workers_wake(q, smtpd__destination_site(job->destination));
	pthread_mutex_unlock(&q->lock);
}

static void
withdraw_job(void *user, struct smtpd_delivery_job *job)
{
	struct smtpd_queue *q = user;

	pthread_mutex_lock(&q->lock);
	smtpd__schedule_withdraw(q->schedule, job);
	pthread_mutex_unlock(&q->lock);
}

static void
resume_job(void *user, struct smtpd_delivery_job *job)
{
	struct smtpd_queue *q = user;

	pthread_mutex_lock(&q->lock);
	insert_new(q, job);
	stir(q);
	pthread_mutex_unlock(&q->lock);
}

static void
look_at_job(void *user, const struct smtpd_delivery_job *job,
    struct smtpd_delivery_job *copy)
{
	struct smtpd_queue *q = user;
	struct smtpd_site_info f;

	pthread_mutex_lock(&q->lock);
	copy->state = job->state;
	if (job->state != SMTPD_JOB_ACTIVE) {
		smtpd__destination_site_info(job->destination, &f);
		copy->due = f.resumes_at > job->due ? f.resumes_at : job->due;
	}
	pthread_mutex_unlock(&q->lock);
}

static void
explain_job(
    void *user, const struct smtpd_delivery_job *job, struct smtpd_text *text)
{
	struct smtpd_queue *q = user;
	uint32_t now = smtpd__spool_now(q->spool);
	struct smtpd_site_info f;

	pthread_mutex_lock(&q->lock);
	smtpd__destination_site_info(job->destination, &f);
	smtpd__text_format(
	    text, "%s: %u of %u connections", f.name, f.connections, f.limit);
	if (f.resumes_at > now)
		smtpd__text_format(text,
		    ", closed for %u more seconds after %u "
		    "failures%s%s",
		    f.resumes_at - now, f.failures, f.why != NULL ? ": " : "",
		    f.why != NULL ? f.why->text : "");
	pthread_mutex_unlock(&q->lock);
}

void
smtpd__dispatch_hooks(struct smtpd_queue *q, struct smtpd_control_hooks *hooks)
{
	*hooks = (struct smtpd_control_hooks){
		.flush = flush_job,
		.withdraw = withdraw_job,
		.resume = resume_job,
		.look = look_at_job,
		.explain = explain_job,
		.user = q,
	};
}
