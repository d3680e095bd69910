/* SPDX-License-Identifier: MIT */
#include "server/pool.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "os/condition.h"
#include "os/sched.h"
#include "os/thread.h"
#include "server/session_state.h"

/* After so many milliseconds without work an idle thread ends. */
#define IDLE_MS 10000

/* So many idle threads are enough for one that has parked its connection to
 * end: where clients are silent at once their threads would stay for
 * nothing. */
#define IDLE_ENOUGH 16

/* With more threads than these a session is parked as soon as its client is
 * silent: a crowd that comes at once would need one for each, and the system
 * has fewer of them than of descriptors. */
#define CROWD 1000

void
smtpd__pool_init(struct smtpd_pool *p, const struct smtpd_pool_work *work,
    void *owner, size_t stack_size)
{
	memset(p, 0, sizeof(*p));
	p->work = work;
	p->owner = owner;
	p->stack_size = stack_size;
	pthread_mutex_init(&p->lock, NULL);
	smtpd__condition_init(&p->turn);
	smtpd__condition_init(&p->empty);
}

void
smtpd__pool_finish(struct smtpd_pool *p)
{
	pthread_cond_destroy(&p->empty);
	pthread_cond_destroy(&p->turn);
	pthread_mutex_destroy(&p->lock);
}

/*
 * Wait until the lead is free and take it.  Return false when this thread is
 * not needed any more: the pool stops, nobody came for a while, or it has
 * PARKED its connection and others wait.
 */
static bool
take_lead(struct smtpd_pool *p, bool parked)
{
	struct timespec until = smtpd__condition_after(IDLE_MS);
	int error = 0;
	bool taken;

	pthread_mutex_lock(&p->lock);
	if (parked && p->idle >= IDLE_ENOUGH)
		error = ETIMEDOUT;
	p->idle++;
	while (p->leading && !p->stopping && error == 0)
		error = smtpd__condition_wait(&p->turn, &p->lock, &until);
	p->idle--;
	taken = !p->leading && !p->stopping;
	if (taken)
		p->leading = true;
	pthread_mutex_unlock(&p->lock);
	return taken;
}

/*
 * Each thread that ends joins one that ended before, and smtpd__pool_stop() the
 * last.  So none is left behind, and none must be waited for while the pool
 * runs.  What it joins waits for nobody any more: else a crowd that ends would
 * go one by one, each with its stack until its turn has come.
 */
static void
end_thread(struct smtpd_pool *p)
{
	pthread_t before;

	pthread_mutex_lock(&p->lock);
	while (p->has_last) {
		before = p->last;
		p->has_last = false;
		pthread_mutex_unlock(&p->lock);
		pthread_join(before, NULL);
		pthread_mutex_lock(&p->lock);
	}
	p->last = pthread_self();
	p->has_last = true;
	if (--p->threads == 0)
		pthread_cond_signal(&p->empty);
	pthread_mutex_unlock(&p->lock);
}

bool
smtpd__pool_is_crowded(const struct smtpd_pool *p)
{
	return atomic_load_explicit(&p->threads, memory_order_relaxed) > CROWD;
}

static void *run_thread(void *arg);

static int
start_thread(struct smtpd_pool *p)
{
	pthread_t thread;

	return smtpd__thread_start(&thread, p->stack_size, run_thread, p);
}

/*
 * See to it that somebody else waits for connections.  Return false when that
 * is not possible, and the caller still leads.
 */
static bool
hand_over(struct smtpd_pool *p)
{
	bool others;

	pthread_mutex_lock(&p->lock);
	p->leading = false;
	others = p->idle > 0;
	if (others)
		pthread_cond_signal(&p->turn);
	else
		p->threads++;
	pthread_mutex_unlock(&p->lock);
	if (others || start_thread(p) == 0)
		return true;

	/* In the meantime a busy thread may have become free. */
	pthread_mutex_lock(&p->lock);
	p->threads--;
	others = p->leading;
	p->leading = true;
	pthread_mutex_unlock(&p->lock);
	return others;
}

/* Accept until there is a connection to serve; false: there will be none. */
static bool
wait_for_connection(struct smtpd_pool *p, struct smtpd_connection *c)
{
	while (p->work->next(p->owner, c)) {
		if (hand_over(p))
			return true;
		p->work->refuse(p->owner, c);
	}
	return false;
}

static void *
run_thread(void *arg)
{
	struct smtpd_pool *p = arg;
	struct smtpd_worker w = { NULL };
	bool parked = false;
	struct smtpd_connection c;

	smtpd__thread_set_name("smtpd-session");
	smtpd__sched_batch();
	while (take_lead(p, parked) && wait_for_connection(p, &c))
		parked = p->work->serve(p->owner, &c, &w);
	smtpd__session_destroy_workspace(w.ws);
	end_thread(p);
	return NULL;
}

int
smtpd__pool_start(struct smtpd_pool *p)
{
	int error;

	p->threads = 1;
	error = start_thread(p);
	if (error != 0)
		p->threads = 0;
	return error;
}

void
smtpd__pool_stop(struct smtpd_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->turn);
	while (p->threads > 0)
		pthread_cond_wait(&p->empty, &p->lock);
	pthread_mutex_unlock(&p->lock);
	if (p->has_last)
		pthread_join(p->last, NULL);
	p->has_last = false;
}
