/* SPDX-License-Identifier: MIT */
#include "queue/delivery/workers.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/container.h"
#include "os/clock.h"
#include "os/condition.h"
#include "queue/delivery/agent_state.h"
#include "queue/delivery/attempt.h"
#include "queue/delivery/dispatch.h"

/* A worker that was at a site for so many messages, or so long, leaves it when
 * others have mail to try and no worker is free. */
#define VISIT_MESSAGES 10
#define VISIT_MS       1000

/* Workers that may be set aside for each, and descriptors that each needs: a
 * connection, a large message, sockets of the DNS. */
#define ASIDE_EACH 32
#define FILES_EACH 4

struct smtpd_worker {
	struct smtpd_pool_member member;
	struct smtpd_delivery *delivery;
	struct smtpd_attempt_state attempt;
	struct smtpd_site *site; /* it has a connection of it; NULL: of none */
	uint64_t came;           /* to the site, as smtpd__clock_ms() */
	unsigned tried;          /* messages there */
};

uint32_t
smtpd__workers_count_aside(uint32_t workers)
{
	long open_max = sysconf(_SC_OPEN_MAX);
	uint64_t files = open_max < 0 ? UINT16_MAX : (uint64_t)open_max;
	uint64_t threads = (uint64_t)workers * (1 + ASIDE_EACH);

	if (threads > files / FILES_EACH)
		threads = files / FILES_EACH;
	return threads > workers ? (uint32_t)threads - workers : 0;
}

/* Whether W, which has TRIED so many messages at its site, or was there for so
 * long, has to leave it for others.  The lock is held. */
static bool
must_leave(const struct smtpd_worker *w, unsigned tried)
{
	return (tried >= VISIT_MESSAGES ||
		   smtpd__clock_ms() - w->came >= VISIT_MS) &&
	    smtpd__dispatch_make_room(w->delivery) > 0;
}

/* Take the job after the present one, to go ahead: not one that others would
 * come before. */
static struct smtpd_delivery_job *
take_next(struct smtpd_pool_member *m)
{
	struct smtpd_worker *w =
	    SMTPD_CONTAINER_OF(m, struct smtpd_worker, member);
	struct smtpd_delivery *d = w->delivery;
	struct smtpd_delivery_job *job = NULL;

	pthread_mutex_lock(&d->lock);
	if (!d->stopping && !must_leave(w, w->tried + 1))
		job = smtpd__dispatch_take(d, &w->site);
	pthread_mutex_unlock(&d->lock);
	return job;
}

/* The job that was taken during the last attempt, if it can be tried: it is
 * returned otherwise.  The lock is held. */
static struct smtpd_delivery_job *
resume_site(struct smtpd_worker *w)
{
	struct smtpd_delivery *d = w->delivery;
	struct smtpd_delivery_job *job = smtpd__attempt_next(&w->attempt);

	if (job == NULL)
		return NULL;
	w->tried++;
	if (w->site != NULL && !d->stopping &&
	    smtpd__attempt_may_go_on(&w->attempt))
		return job;
	pthread_mutex_unlock(&d->lock);
	smtpd__attempt_leave_next(&w->attempt);
	pthread_mutex_lock(&d->lock);
	return NULL;
}

/* Take another job for an open connection, first one that was handed over.  It
 * is worth waiting for one, as long as nobody else needs this thread. */
static struct smtpd_delivery_job *
await_more(struct smtpd_worker *w)
{
	struct smtpd_delivery *d = w->delivery;
	uint32_t idle_ms = d->settings.idle_ms;
	const struct timespec until = smtpd__condition_after(idle_ms);
	struct smtpd_delivery_job *job = resume_site(w);
	bool woken = true;

	if (job != NULL || w->site == NULL ||
	    !smtpd__agent_is_open(w->attempt.agent))
		return job;
	if (w->member.job == NULL && must_leave(w, ++w->tried))
		return NULL;
	for (;;) {
		job = w->member.job;
		w->member.job = NULL;
		if (job == NULL && !d->stopping)
			job = smtpd__dispatch_take(d, &w->site);
		if (job != NULL || !woken || d->stopping)
			return job;
		if (!smtpd__dispatch_get_spare_worker(d))
			return NULL;
		woken = smtpd__worker_pool_wait(&w->member, w->site,
		    idle_ms == SMTPD_NO_TIMEOUT ? NULL : &until);
	}
}

/* Try JOB and what else there is for its site, then leave that. */
static void
serve_site(struct smtpd_worker *w, struct smtpd_delivery_job *job)
{
	struct smtpd_delivery *d = w->delivery;

	w->came = smtpd__clock_ms();
	w->tried = 0;
	while (job != NULL) {
		smtpd__dispatch_wake_worker(d, NULL);
		pthread_mutex_unlock(&d->lock);
		smtpd__attempt_run(&w->attempt, job, &w->site);
		pthread_mutex_lock(&d->lock);
		job = await_more(w);
	}
	/* QUIT may take a while. */
	smtpd__dispatch_wake_worker(d, NULL);
	pthread_mutex_unlock(&d->lock);
	smtpd__dispatch_begin_wait(d, &w->member, NULL);
	smtpd__agent_state_quit(w->attempt.agent);
	smtpd__dispatch_end_wait(d, &w->member);
	pthread_mutex_lock(&d->lock);
	if (w->site != NULL)
		smtpd__schedule_leave(
		    d->schedule, w->site, smtpd__spool_clock_now(d->spool));
	w->site = NULL;
}

/* Serve one site after the other until the queue stops.  If there is mail, but
 * no worker is free for it, wait until one may be set aside.  The lock is held.
 */
static void
run_worker(struct smtpd_pool_member *m)
{
	struct smtpd_worker *w =
	    SMTPD_CONTAINER_OF(m, struct smtpd_worker, member);
	struct smtpd_delivery *d = w->delivery;

	while (!d->stopping) {
		uint32_t full_ms = smtpd__dispatch_make_room(d);
		struct smtpd_delivery_job *job =
		    smtpd__dispatch_take(d, &w->site);
		struct timespec until;

		if (job != NULL) {
			serve_site(w, job);
			continue;
		}
		until = smtpd__condition_after(full_ms);
		smtpd__worker_pool_wait(m, NULL, full_ms > 0 ? &until : NULL);
	}
}

static void
add_worker(void *user)
{
	struct smtpd_delivery *d = user;
	struct smtpd_worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return;
	w->delivery = d;
	w->attempt.delivery = d;
	w->attempt.worker = &w->member;
	w->attempt.next = take_next;
	w->attempt.agent = smtpd__agent_create(&d->agent);
	if (w->attempt.agent != NULL &&
	    smtpd__worker_pool_start(&d->pool, &w->member, run_worker) == 0)
		return;
	smtpd__attempt_finish(&w->attempt);
	free(w);
}

void
smtpd__workers_init(struct smtpd_delivery *d)
{
	d->pool = (struct smtpd_worker_pool){
		.lock = &d->lock,
		.max = d->settings.workers + d->aside,
		.add = add_worker,
		.user = d,
	};
}

void
smtpd__workers_stop(struct smtpd_delivery *d, uint32_t timeout_ms)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	struct smtpd_pool_member *m;

	smtpd_cancel_trigger(d->cancel);
	pthread_mutex_lock(&d->lock);
	smtpd__worker_pool_wake_all(&d->pool);
	for (uint32_t ms = 0; d->pool.busy > 0 && ms < timeout_ms; ms += 10) {
		pthread_mutex_unlock(&d->lock);
		nanosleep(&tick, NULL);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	smtpd_cancel_trigger(d->dot_cancel);
	while ((m = smtpd__worker_pool_join(&d->pool)) != NULL) {
		struct smtpd_worker *w =
		    SMTPD_CONTAINER_OF(m, struct smtpd_worker, member);

		smtpd__attempt_finish(&w->attempt);
		free(w);
	}
}
