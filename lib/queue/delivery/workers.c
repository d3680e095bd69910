/* SPDX-License-Identifier: MIT */
#include "queue/delivery/workers.h"

#include <stdlib.h>
#include <time.h>

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

struct smtpd_worker {
	struct smtpd_pool_member member;
	struct smtpd_delivery *delivery;
	struct smtpd_attempt_state attempt;
	uint64_t came;  /* to the site, as smtpd__clock_ms() */
	unsigned tried; /* messages there */
};

/* Take another job for an open connection, first one that was handed over.  It
 * is worth waiting for one, as long as nobody else needs this thread. */
static struct smtpd_delivery_job *
await_more(struct smtpd_worker *w, struct smtpd_site *site)
{
	struct smtpd_delivery *d = w->delivery;
	uint32_t idle_ms = d->settings.idle_ms;
	const struct timespec until = smtpd__condition_after(idle_ms);
	struct smtpd_delivery_job *job;
	bool woken = true;

	if (site == NULL || !smtpd__agent_is_open(w->attempt.agent))
		return NULL;
	if (w->member.job == NULL &&
	    (++w->tried >= VISIT_MESSAGES ||
		smtpd__clock_ms() - w->came >= VISIT_MS) &&
	    smtpd__dispatch_make_room(d) > 0)
		return NULL;
	for (;;) {
		job = w->member.job;
		w->member.job = NULL;
		if (job == NULL && !d->stopping)
			job = smtpd__dispatch_take(d, &site);
		if (job != NULL || !woken || d->stopping)
			return job;
		if (!smtpd__dispatch_get_spare_worker(d))
			return NULL;
		woken = smtpd__worker_pool_wait(&w->member, site,
		    idle_ms == SMTPD_NO_TIMEOUT ? NULL : &until);
	}
}

/* Try JOB and what else there is for its site, then leave that. */
static void
serve_site(struct smtpd_worker *w, struct smtpd_delivery_job *job,
    struct smtpd_site *site)
{
	struct smtpd_delivery *d = w->delivery;

	w->came = smtpd__clock_ms();
	w->tried = 0;
	while (job != NULL) {
		smtpd__dispatch_wake_worker(d, NULL);
		pthread_mutex_unlock(&d->lock);
		smtpd__attempt_run(&w->attempt, job, &site);
		pthread_mutex_lock(&d->lock);
		job = await_more(w, site);
	}
	/* QUIT may take a while. */
	smtpd__dispatch_wake_worker(d, NULL);
	pthread_mutex_unlock(&d->lock);
	smtpd__dispatch_begin_wait(d, &w->member, NULL);
	smtpd__agent_state_quit(w->attempt.agent);
	smtpd__dispatch_end_wait(d, &w->member);
	pthread_mutex_lock(&d->lock);
	if (site != NULL)
		smtpd__schedule_leave(
		    d->schedule, site, smtpd__spool_clock_now(d->spool));
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
		struct smtpd_site *site = NULL;
		uint32_t full_ms = smtpd__dispatch_make_room(d);
		struct smtpd_delivery_job *job = smtpd__dispatch_take(d, &site);
		struct timespec until;

		if (job != NULL) {
			serve_site(w, job, site);
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
