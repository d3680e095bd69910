/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_WORKER_POOL_H
#define SMTPD_QUEUE_DELIVERY_WORKER_POOL_H

/*
 * The threads that wait for work: which are idle, which have a connection of a
 * site and wait there for another message, which are being woken.  It knows
 * nothing of what they do.
 *
 * A thread is started when work comes and none is idle, up to a maximum, and
 * stays until the end.  All calls are under the lock of the owner.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct smtpd_delivery_job;
struct smtpd_site;
struct smtpd_worker_pool;

/* A thread of the pool; part of a struct of the owner. */
struct smtpd_pool_member {
	struct smtpd_worker_pool *pool;
	void (*run)(struct smtpd_pool_member *m);
	struct smtpd_pool_member *next;    /* of all */
	struct smtpd_pool_member *waiting; /* the next in the same list */
	pthread_t thread;
	pthread_cond_t wake;
	bool woken;
	const struct smtpd_site *site;  /* where it waits */
	struct smtpd_delivery_job *job; /* handed over while it waited */

	/* Since when it waits for hosts, as smtpd__clock_ms(); 0: it does not.
	 * For which job, or NULL; and whether it was set aside meanwhile. */
	uint64_t since;
	struct smtpd_delivery_job *tried;
	bool aside;
};

/* The owner fills in the first four. */
struct smtpd_worker_pool {
	pthread_mutex_t *lock;
	uint32_t max;

	/* Make a member and call smtpd__worker_pool_start() with it, if both
	 * can be done now: else the next message tries again. */
	void (*add)(void *user);
	void *user;

	struct smtpd_pool_member *all;
	struct smtpd_pool_member *idle; /* the last one first */
	struct smtpd_pool_member *waiting_at_site;
	uint32_t count;
	uint32_t busy;   /* do not wait */
	uint32_t waking; /* were woken or started, and did not look for work
	                  * yet */
};

/* Start a thread that calls RUN with M, under the lock, until there is no more
 * work.  Return 0, or -1: then M is not a member. */
int smtpd__worker_pool_start(struct smtpd_worker_pool *p,
    struct smtpd_pool_member *m, void (*run)(struct smtpd_pool_member *m));

/* Wait at SITE, or idle if that is NULL, until somebody wakes M or, unless it
 * is NULL, the moment UNTIL.  Return true if M was woken. */
bool smtpd__worker_pool_wait(struct smtpd_pool_member *m,
    const struct smtpd_site *site, const struct timespec *until);

/* Have a worker come that has no connection: one that is on its way, an idle
 * one, a new one; if there is none, one that waits at a site.  That one is the
 * first choice if no other may take a job: FULL. */
void smtpd__worker_pool_wake(struct smtpd_worker_pool *p, bool full);

/* Wake a worker that waits at SITE, and hand JOB over to it, or NULL.  Return
 * false if none does. */
bool smtpd__worker_pool_wake_at_site(struct smtpd_worker_pool *p,
    const struct smtpd_site *site, struct smtpd_delivery_job *job);

/* Wake all that wait. */
void smtpd__worker_pool_wake_all(struct smtpd_worker_pool *p);

/* Take a member whose thread ended, waiting for that without the lock.  NULL:
 * none is left. */
struct smtpd_pool_member *smtpd__worker_pool_join(struct smtpd_worker_pool *p);

#endif
