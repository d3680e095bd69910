/* SPDX-License-Identifier: MIT */
#include "queue/delivery/maintenance.h"

#include <errno.h>
#include <time.h>

#include "queue/delivery/attempt.h"
#include "queue/delivery/dispatch.h"
#include "queue/queue_state.h"

/* Seconds between two steps of cleaning while messages come and go, and
 * between two looks at a queue where nothing is to be done. */
#define STEP_S 1
#define LOOK_S 300

/* Wait; only a wait of more than a step is ended by what was written. */
static void
wait_seconds(struct smtpd_queue *q, uint32_t seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)seconds;
	q->resting = seconds > STEP_S;
	pthread_cond_timedwait(&q->keep, &q->lock, &until);
	q->resting = false;
}

static void
wait_for_work(struct smtpd_queue *q)
{
	q->resting = true;
	while (!q->stirred && !q->stopping)
		pthread_cond_wait(&q->keep, &q->lock);
	q->resting = false;
}

/* End or report all that waited too long for a closed site. */
static void
serve_overdue(struct smtpd_queue *q)
{
	struct smtpd_delivery_job *job;

	while (!q->stopping &&
	    (job = smtpd__schedule_overdue(
		 q->schedule, smtpd__spool_now(q->spool))) != NULL) {
		smtpd__spool_pin(q->spool, job->message);
		pthread_mutex_unlock(&q->lock);
		smtpd__attempt_overdue(q, job);
		pthread_mutex_lock(&q->lock);
	}
}

/* Do what is due now, and return in how many seconds to look again. */
static uint32_t
look(struct smtpd_queue *q, bool more)
{
	uint32_t wait, wake, now;

	serve_overdue(q);
	now = smtpd__spool_now(q->spool);
	smtpd__workers_wake_due(q);
	wake = smtpd__schedule_next_time(q->schedule, now);
	wait = more || q->stirred ? STEP_S : LOOK_S;
	if (wake == SMTPD_TIME_NONE)
		return wait;
	if (wake <= now)
		return STEP_S;
	return wake - now < wait ? wake - now : wait;
}

/* Once more what there was no memory for. */
static void
schedule_rest(struct smtpd_queue *q)
{
	if (!q->unscheduled)
		return;
	pthread_mutex_unlock(&q->lock);
	smtpd__dispatch_schedule_all(q);
	pthread_mutex_lock(&q->lock);
}

/* Whether there is nothing to wait for. */
static bool
is_idle(struct smtpd_queue *q, bool more)
{
	return !more && !q->stirred && smtpd__spool_count(q->spool) == 0;
}

static void *
keep(void *arg)
{
	struct smtpd_queue *q = arg;
	bool more = true;

	pthread_mutex_lock(&q->lock);
	while (!q->stopping) {
		if (is_idle(q, more))
			wait_for_work(q);
		else
			wait_seconds(q, look(q, more));
		q->stirred = false;
		schedule_rest(q);
		pthread_mutex_unlock(&q->lock);
		more = smtpd__spool_clean(q->spool);
		pthread_mutex_lock(&q->lock);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

int
smtpd__maintenance_start(struct smtpd_queue *q)
{
	int error = pthread_create(&q->maintenance, NULL, keep, q);

	errno = error;
	return error == 0 ? 0 : -1;
}

void
smtpd__maintenance_stop(struct smtpd_queue *q)
{
	pthread_join(q->maintenance, NULL);
}
