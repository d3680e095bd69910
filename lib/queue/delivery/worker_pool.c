/* SPDX-License-Identifier: MIT */
#include "queue/delivery/worker_pool.h"

#include <stddef.h>

#include "os/condition.h"
#include "os/sched.h"
#include "os/thread.h"

/* TLS and the resolver need most of it. */
#ifndef SMTPD_STACK_SCALE
#define SMTPD_STACK_SCALE 1
#endif
#define STACK_SIZE ((size_t)131072 * SMTPD_STACK_SCALE)

static void *
run_member(void *arg)
{
	struct smtpd_pool_member *m = arg;
	struct smtpd_worker_pool *p = m->pool;

	smtpd__thread_set_name("smtpd-delivery");
	smtpd__sched_batch();
	pthread_mutex_lock(p->lock);
	p->waking--;
	m->run(m);
	p->busy--;
	pthread_mutex_unlock(p->lock);
	return NULL;
}

int
smtpd__worker_pool_start(struct smtpd_worker_pool *p,
    struct smtpd_pool_member *m, void (*run)(struct smtpd_pool_member *m))
{
	int error;

	smtpd__condition_init(&m->wake);
	m->pool = p;
	m->run = run;
	error = smtpd__thread_start(&m->thread, STACK_SIZE, run_member, m);
	if (error != 0) {
		pthread_cond_destroy(&m->wake);
		return -1;
	}
	m->next = p->all;
	p->all = m;
	p->count++;
	p->busy++;
	p->waking++;
	return 0;
}

/* Take M out of the list at HEAD, if it is there. */
static void
unlink_member(struct smtpd_pool_member **head, struct smtpd_pool_member *m)
{
	while (*head != NULL && *head != m)
		head = &(*head)->waiting;
	if (*head == m)
		*head = m->waiting;
}

bool
smtpd__worker_pool_wait(struct smtpd_pool_member *m,
    const struct smtpd_site *site, const struct timespec *until)
{
	struct smtpd_worker_pool *p = m->pool;
	struct smtpd_pool_member **head =
	    site != NULL ? &p->waiting_at_site : &p->idle;
	int error = 0;

	m->woken = false;
	m->site = site;
	m->waiting = *head;
	*head = m;
	p->busy--;
	while (!m->woken && error == 0)
		error = smtpd__condition_wait(&m->wake, p->lock, until);
	p->busy++;
	if (m->woken)
		p->waking--;
	else
		unlink_member(head, m);
	return m->woken;
}

/* Wake M, which is in the list at HEAD. */
static void
wake_member(struct smtpd_pool_member **head, struct smtpd_pool_member *m)
{
	unlink_member(head, m);
	m->woken = true;
	m->pool->waking++;
	pthread_cond_signal(&m->wake);
}

void
smtpd__worker_pool_wake(struct smtpd_worker_pool *p, bool full)
{
	/* The one on its way wakes another, if there is more to do than it
	 * takes. */
	if (p->waking > 0)
		return;
	if (full && p->waiting_at_site != NULL)
		wake_member(&p->waiting_at_site, p->waiting_at_site);
	else if (p->idle != NULL)
		wake_member(&p->idle, p->idle);
	else if (p->count < p->max)
		p->add(p->user);
	else if (p->waiting_at_site != NULL)
		wake_member(&p->waiting_at_site, p->waiting_at_site);
}

bool
smtpd__worker_pool_wake_at_site(struct smtpd_worker_pool *p,
    const struct smtpd_site *site, struct smtpd_delivery_job *job)
{
	struct smtpd_pool_member *m = p->waiting_at_site;

	while (m != NULL && m->site != site)
		m = m->waiting;
	if (m == NULL)
		return false;
	m->job = job;
	wake_member(&p->waiting_at_site, m);
	return true;
}

void
smtpd__worker_pool_wake_all(struct smtpd_worker_pool *p)
{
	while (p->idle != NULL)
		wake_member(&p->idle, p->idle);
	while (p->waiting_at_site != NULL)
		wake_member(&p->waiting_at_site, p->waiting_at_site);
}

struct smtpd_pool_member *
smtpd__worker_pool_join(struct smtpd_worker_pool *p)
{
	struct smtpd_pool_member *m = p->all;

	if (m == NULL)
		return NULL;
	pthread_join(m->thread, NULL);
	pthread_cond_destroy(&m->wake);
	p->all = m->next;
	return m;
}
