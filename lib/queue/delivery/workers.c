/* SPDX-License-Identifier: MIT */
#include "queue/delivery/workers.h"

#include <stdlib.h>
#include <time.h>

#include "os/sched.h"
#include "queue/delivery/attempt.h"
#include "queue/queue_state.h"

/* TLS and the resolver need most of it. */
#ifndef SMTPD_STACK_SCALE
#define SMTPD_STACK_SCALE 1
#endif
#define STACK_SIZE ((size_t)131072 * SMTPD_STACK_SCALE)

struct smtpd_worker_thread {
	struct smtpd_queue *queue;
	struct smtpd_worker_thread *next;  /* of all */
	struct smtpd_worker_thread *other; /* that is idle, or parked */
	pthread_t thread;
	pthread_cond_t wake;
	bool woken;
	const struct smtpd_site *site;  /* where it is parked */
	struct smtpd_delivery_job *job; /* that was handed over meanwhile */
	struct smtpd_attempt_state attempts;
};

/* Take R out of the list at HEAD, if it is there. */
static void
unlink_worker(struct smtpd_worker_thread **head, struct smtpd_worker_thread *r)
{
	while (*head != NULL && *head != r)
		head = &(*head)->other;
	if (*head == r)
		*head = r->other;
}

/* The moment in MS milliseconds. */
static struct timespec
moment(uint32_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Wait in the list at HEAD to be woken; up to UNTIL, or for ever.  Return
 * whether that happened. */
static bool
rest(struct smtpd_worker_thread *r, struct smtpd_worker_thread **head,
    const struct timespec *until)
{
	struct smtpd_queue *q = r->queue;
	int error = 0;

	r->woken = false;
	r->other = *head;
	*head = r;
	q->workers.busy--;
	while (!r->woken && !q->stopping && error == 0)
		error = until == NULL
		    ? pthread_cond_wait(&r->wake, &q->lock)
		    : pthread_cond_timedwait(&r->wake, &q->lock, until);
	q->workers.busy++;
	if (r->woken)
		q->workers.coming--;
	else
		unlink_worker(head, r);
	return r->woken;
}

static void
wake(struct smtpd_worker_thread **head, struct smtpd_worker_thread *r)
{
	unlink_worker(head, r);
	r->woken = true;
	r->queue->workers.coming++;
	pthread_cond_signal(&r->wake);
}

/* A job, pinned, to be tried at a new connection; NULL: the queue is stopping. */
static struct smtpd_delivery_job *
await_job(struct smtpd_worker_thread *r, struct smtpd_site **site)
{
	struct smtpd_queue *q = r->queue;
	struct smtpd_delivery_job *job;

	while (!q->stopping) {
		job = smtpd__schedule_take(
		    q->schedule, smtpd__spool_now(q->spool), site);
		if (job != NULL) {
			smtpd__spool_pin(q->spool, job->message);
			return job;
		}
		rest(r, &q->workers.idle, NULL);
	}
	return NULL;
}

/* A job for R's connection of SITE; NULL: none. */
static struct smtpd_delivery_job *
take_more(struct smtpd_worker_thread *r, struct smtpd_site *site)
{
	struct smtpd_queue *q = r->queue;
	struct smtpd_delivery_job *job = r->job;

	r->job = NULL;
	if (job != NULL || q->stopping)
		return job;
	job = smtpd__schedule_take_more(
	    q->schedule, smtpd__spool_now(q->spool), site);
	if (job != NULL)
		smtpd__spool_pin(q->spool, job->message);
	return job;
}

/* Whether somebody can be had who has no connection. */
static bool
has_spare(const struct smtpd_queue *q)
{
	return q->workers.coming > 0 || q->workers.idle != NULL ||
	    q->workers.count < q->settings.workers;
}

/* If mail waits for a thread, have one come that has no connection.  Return
 * false when there is none. */
static bool
call_spare(struct smtpd_queue *q)
{
	if (!smtpd__schedule_needs_worker(
		q->schedule, smtpd__spool_now(q->spool)))
		return true;
	if (!has_spare(q))
		return false;
	smtpd__workers_wake(q, NULL);
	return true;
}

/* Wait for the disk, without the lock. */
static void
come_to_rest(struct smtpd_worker_thread *r)
{
	pthread_mutex_unlock(&r->queue->lock);
	smtpd__attempt_sync_before_idle(&r->attempts);
	pthread_mutex_lock(&r->queue->lock);
}

/* Another job for an open connection, for which it is worth to wait as long as
 * nobody else needs this thread. */
static struct smtpd_delivery_job *
another_job(struct smtpd_worker_thread *r, struct smtpd_site *site)
{
	struct smtpd_queue *q = r->queue;
	uint32_t idle_ms = q->settings.idle_ms;
	const struct timespec until = moment(idle_ms);
	struct smtpd_delivery_job *job;
	bool woken = true;

	if (site == NULL || !smtpd__agent_is_open(r->attempts.agent))
		return NULL;
	job = take_more(r, site);
	if (job != NULL)
		return job;
	come_to_rest(r);
	r->site = site;
	while ((job = take_more(r, site)) == NULL && woken && !q->stopping &&
	    call_spare(q))
		woken = rest(r, &q->workers.parked,
		    idle_ms == SMTPD_NO_TIMEOUT ? NULL : &until);
	return job;
}

/* Try JOB and what else there is for its site. */
static void
serve(struct smtpd_worker_thread *r, struct smtpd_delivery_job *job,
    struct smtpd_site *site)
{
	struct smtpd_queue *q = r->queue;

	while (job != NULL) {
		if (smtpd__schedule_needs_worker(
			q->schedule, smtpd__spool_now(q->spool)))
			smtpd__workers_wake(q, NULL);
		pthread_mutex_unlock(&q->lock);
		smtpd__attempt(&r->attempts, job, &site);
		pthread_mutex_lock(&q->lock);
		job = another_job(r, site);
	}
	/* It may take a while to part. */
	call_spare(q);
	pthread_mutex_unlock(&q->lock);
	smtpd__attempt_sync_before_idle(&r->attempts);
	smtpd__agent_quit(r->attempts.agent);
	pthread_mutex_lock(&q->lock);
	if (site != NULL)
		smtpd__schedule_leave(
		    q->schedule, site, smtpd__spool_now(q->spool));
}

static void *
run(void *arg)
{
	struct smtpd_worker_thread *r = arg;
	struct smtpd_queue *q = r->queue;
	struct smtpd_site *site = NULL;
	struct smtpd_delivery_job *job;

	smtpd__sched_batch();
	pthread_mutex_lock(&q->lock);
	q->workers.coming--;
	while ((job = await_job(r, &site)) != NULL)
		serve(r, job, site);
	q->workers.busy--;
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static int
start_thread(struct smtpd_worker_thread *r)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	if (error != 0)
		return error;
	error = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (error == 0)
		error = pthread_create(&r->thread, &attr, run, r);
	pthread_attr_destroy(&attr);
	return error;
}

/* What cannot be had now is tried again with the next message. */
static void
add_worker(struct smtpd_queue *q)
{
	struct smtpd_worker_thread *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (r == NULL)
		return;
	r->queue = q;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (smtpd__attempt_init(&r->attempts, q) == -1 ||
	    start_thread(r) != 0) {
		smtpd__attempt_finish(&r->attempts);
		pthread_cond_destroy(&r->wake);
		free(r);
		return;
	}
	r->next = q->workers.all;
	q->workers.all = r;
	q->workers.count++;
	q->workers.busy++;
	q->workers.coming++;
}

/* Somebody with a connection of SITE; any, when SITE is NULL. */
static struct smtpd_worker_thread *
find_parked(const struct smtpd_queue *q, const struct smtpd_site *site)
{
	struct smtpd_worker_thread *r = q->workers.parked;

	while (r != NULL && site != NULL && r->site != site)
		r = r->other;
	return r;
}

bool
smtpd__workers_hand_over(struct smtpd_queue *q, const struct smtpd_site *site,
    struct smtpd_delivery_job *job)
{
	struct smtpd_worker_thread *r = find_parked(q, site);

	if (r == NULL)
		return false;
	r->job = job;
	wake(&q->workers.parked, r);
	return true;
}

void
smtpd__workers_wake(struct smtpd_queue *q, const struct smtpd_site *site)
{
	struct smtpd_worker_thread *r =
	    site != NULL ? find_parked(q, site) : NULL;

	if (!q->running || q->stopping)
		return;
	if (r != NULL) {
		wake(&q->workers.parked, r);
		return;
	}
	if (site != NULL &&
	    !smtpd__schedule_needs_worker(
		q->schedule, smtpd__spool_now(q->spool)))
		return;
	/* Who comes wakes another one, if there is more to do than he takes. */
	if (q->workers.coming > 0)
		return;
	if (q->workers.idle != NULL)
		wake(&q->workers.idle, q->workers.idle);
	else if (q->workers.count < q->settings.workers)
		add_worker(q);
	else if ((r = find_parked(q, NULL)) != NULL)
		wake(&q->workers.parked, r);
}

void
smtpd__workers_wake_due(struct smtpd_queue *q)
{
	uint32_t now = smtpd__spool_now(q->spool);
	struct smtpd_worker_thread *next;

	for (struct smtpd_worker_thread *r = q->workers.parked; r != NULL;
	    r = next) {
		next = r->other;
		if (smtpd__schedule_has_more(q->schedule, now, r->site))
			wake(&q->workers.parked, r);
	}
	if (smtpd__schedule_needs_worker(q->schedule, now))
		smtpd__workers_wake(q, NULL);
}

/* Wait up to TIMEOUT_MS until nobody tries anything. */
static void
wait_for_workers(struct smtpd_queue *q, uint32_t timeout_ms)
{
	struct timespec tick = { .tv_nsec = 10000000 };

	for (uint32_t ms = 0; q->workers.busy > 0 && ms < timeout_ms;
	    ms += 10) {
		pthread_mutex_unlock(&q->lock);
		nanosleep(&tick, NULL);
		pthread_mutex_lock(&q->lock);
	}
}

void
smtpd__workers_stop(struct smtpd_queue *q, uint32_t timeout_ms)
{
	struct smtpd_worker_thread *r;

	pthread_mutex_lock(&q->lock);
	for (r = q->workers.all; r != NULL; r = r->next)
		pthread_cond_signal(&r->wake);
	wait_for_workers(q, timeout_ms);
	pthread_mutex_unlock(&q->lock);
	smtpd_cancel_trigger(q->cancel);
	while ((r = q->workers.all) != NULL) {
		pthread_join(r->thread, NULL);
		q->workers.all = r->next;
		smtpd__attempt_finish(&r->attempts);
		pthread_cond_destroy(&r->wake);
		free(r);
	}
}
