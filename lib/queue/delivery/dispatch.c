/* SPDX-License-Identifier: MIT */
#include "queue/delivery/dispatch.h"

#include <stdlib.h>

#include "os/clock.h"
#include "queue/delivery/limits.h"
#include "queue/delivery/trouble.h"

struct smtpd_destination *
smtpd__dispatch_ref_destination(
    void *user, const char *domain, const struct smtpd_spool_addressees *mail)
{
	struct smtpd_delivery *d = user;
	struct smtpd_route_table *table = smtpd__route_table(d->router);
	struct smtpd_destination *destination;
	char key[SMTPD_ROUTE_KEY_SIZE];

	smtpd__route_table_key(table, domain, mail, key);
	smtpd__route_table_unref(table);
	pthread_mutex_lock(&d->lock);
	destination = smtpd__destination_ref_route(d->schedule, domain, key);
	pthread_mutex_unlock(&d->lock);
	return destination;
}

void
smtpd__dispatch_unref_destination(
    void *user, struct smtpd_destination *destination)
{
	struct smtpd_delivery *d = user;

	pthread_mutex_lock(&d->lock);
	smtpd__destination_unref(d->schedule, destination);
	pthread_mutex_unlock(&d->lock);
}

/* A worker that waits for a host so long makes room for another one. */
#define SLOW_MS 100

/* A site where an attempt takes so long has a share of all places only. */
#define SLOW_SITE_MS 2000

void
smtpd__dispatch_begin_wait(struct smtpd_delivery *d,
    struct smtpd_pool_member *m, struct smtpd_delivery_job *job)
{
	pthread_mutex_lock(&d->lock);
	m->since = smtpd__clock_ms();
	m->tried = job;
	pthread_mutex_unlock(&d->lock);
}

void
smtpd__dispatch_end_wait(struct smtpd_delivery *d, struct smtpd_pool_member *m)
{
	pthread_mutex_lock(&d->lock);
	if (m->aside)
		smtpd__schedule_rejoin(d->schedule);
	m->aside = false;
	m->since = 0;
	m->tried = NULL;
	pthread_mutex_unlock(&d->lock);
}

uint32_t
smtpd__dispatch_make_room(struct smtpd_delivery *d)
{
	uint64_t now, again;

	if (!smtpd__schedule_is_full(d->schedule) ||
	    !smtpd__schedule_needs_worker(
		d->schedule, smtpd__spool_clock_now(d->spool)))
		return 0;
	now = smtpd__clock_ms();
	again = now + SLOW_MS;
	if (now < d->look_again)
		return (uint32_t)(d->look_again - now);
	for (struct smtpd_pool_member *m = d->pool.all; m != NULL;
	    m = m->next) {
		if (m->since == 0 || m->aside)
			continue;
		if (now - m->since >= SLOW_MS)
			m->aside =
			    smtpd__schedule_set_aside(d->schedule, m->tried);
		else if (m->since + SLOW_MS < again)
			again = m->since + SLOW_MS;
	}
	if (!smtpd__schedule_is_full(d->schedule))
		return 0;
	d->look_again = again;
	return (uint32_t)(again - now);
}

void
smtpd__dispatch_wake_worker(
    struct smtpd_delivery *d, const struct smtpd_site *site)
{
	if (!d->running || d->stopping)
		return;
	if (site != NULL &&
	    smtpd__worker_pool_wake_at_site(&d->pool, site, NULL))
		return;
	if (smtpd__schedule_needs_worker(
		d->schedule, smtpd__spool_clock_now(d->spool)))
		smtpd__worker_pool_wake(
		    &d->pool, smtpd__dispatch_make_room(d) > 0);
}

bool
smtpd__dispatch_get_spare_worker(struct smtpd_delivery *d)
{
	const struct smtpd_worker_pool *p = &d->pool;

	if (!smtpd__schedule_needs_worker(
		d->schedule, smtpd__spool_clock_now(d->spool)))
		return true;
	if (smtpd__dispatch_make_room(d) > 0 ||
	    (p->waking == 0 && p->idle == NULL && p->count >= p->max))
		return false;
	smtpd__dispatch_wake_worker(d, NULL);
	return true;
}

void
smtpd__dispatch_wake_due(struct smtpd_delivery *d)
{
	uint32_t now = smtpd__spool_clock_now(d->spool);
	struct smtpd_pool_member *next;

	for (struct smtpd_pool_member *m = d->pool.waiting_at_site; m != NULL;
	    m = next) {
		next = m->waiting;
		if (smtpd__schedule_has_more(d->schedule, now, m->site))
			smtpd__worker_pool_wake_at_site(
			    &d->pool, m->site, NULL);
	}
	smtpd__dispatch_wake_worker(d, NULL);
}

void
smtpd__dispatch_wake_maintenance(struct smtpd_delivery *d)
{
	d->written = true;
	if (d->maintenance_waits)
		pthread_cond_signal(&d->wake_maintenance);
}

/* Return true if JOB may be in the schedule.  The lock is held: to hold or
 * remove a message is to set its flag first, and then to take the lock. */
static bool
is_deliverable(const struct smtpd_delivery_job *job)
{
	unsigned flags = job->message->flags;

	return !job->finished &&
	    (flags & (SMTPD_MESSAGE_HELD | SMTPD_MESSAGE_REMOVED)) == 0;
}

void
smtpd__dispatch_insert(struct smtpd_delivery *d, struct smtpd_delivery_job *job)
{
	smtpd__dispatch_wake_maintenance(d);
	if (job->state != SMTPD_JOB_OUT || !is_deliverable(job))
		return;
	if (smtpd__schedule_insert(
		d->schedule, job, smtpd__spool_clock_now(d->spool)) == -1)
		d->unscheduled = true;
	smtpd__dispatch_wake_worker(
	    d, smtpd__destination_site(job->destination));
}

void
smtpd__dispatch_schedule(
    struct smtpd_delivery *d, struct smtpd_queued_message *message)
{
	pthread_mutex_lock(&d->lock);
	for (uint32_t i = 0; i < message->njobs; i++)
		smtpd__dispatch_insert(d, &message->jobs[i]);
	pthread_mutex_unlock(&d->lock);
	smtpd__spool_unpin(d->spool, message);
}

void
smtpd__dispatch_schedule_all(struct smtpd_delivery *d)
{
	struct smtpd_queued_message *message;

	pthread_mutex_lock(&d->lock);
	d->unscheduled = false;
	pthread_mutex_unlock(&d->lock);
	for (uint64_t id = 0;
	    (message = smtpd__spool_next(d->spool, id)) != NULL;) {
		id = message->id;
		smtpd__dispatch_schedule(d, message);
	}
}

void
smtpd__dispatch_withdraw_all(struct smtpd_delivery *d)
{
	struct smtpd_queued_message *message;

	for (uint64_t id = 0;
	    (message = smtpd__spool_next(d->spool, id)) != NULL;) {
		id = message->id;
		for (uint32_t i = 0; i < message->njobs; i++)
			smtpd__schedule_withdraw(
			    d->schedule, &message->jobs[i]);
		smtpd__spool_unpin(d->spool, message);
	}
}

/* Give JOB, a job of LOADED, the destination that its routes say. */
static void
find_destination(struct smtpd_delivery *d, struct smtpd_delivery_job *job,
    const struct smtpd_loaded_message *loaded)
{
	const char *domain = smtpd__destination_name(job->destination);
	size_t *numbers = calloc(job->count, sizeof(*numbers));
	const struct smtpd_spool_addressees mail = { &loaded->envelope, numbers,
		job->count };
	struct smtpd_destination *found = NULL;

	for (uint32_t i = 0; numbers != NULL && i < job->count; i++)
		numbers[i] = job->first + i;
	if (numbers != NULL)
		found = smtpd__dispatch_ref_destination(d, domain, &mail);
	free(numbers);
	if (found == NULL)
		return;
	smtpd__dispatch_unref_destination(d, job->destination);
	job->destination = found;
}

void
smtpd__dispatch_find_destinations(struct smtpd_delivery *d)
{
	struct smtpd_route_table *table = smtpd__route_table(d->router);
	const bool needed = smtpd__route_table_needs_envelopes(table);
	struct smtpd_queued_message *message;
	struct smtpd_loaded_message loaded;

	smtpd__route_table_unref(table);
	if (!needed)
		return;
	for (uint64_t id = 0;
	    (message = smtpd__spool_next(d->spool, id)) != NULL;) {
		id = message->id;
		if (smtpd__spool_load_envelope(d->spool, message, &loaded) ==
		    0) {
			for (uint32_t i = 0; i < message->njobs; i++)
				find_destination(d, &message->jobs[i], &loaded);
			smtpd__loaded_message_finish(&loaded);
		}
		smtpd__spool_unpin(d->spool, message);
	}
}

struct smtpd_delivery_job *
smtpd__dispatch_take(struct smtpd_delivery *d, struct smtpd_site **site)
{
	uint32_t now = smtpd__spool_clock_now(d->spool);
	struct smtpd_delivery_job *job = *site == NULL
	    ? smtpd__schedule_take(d->schedule, now, site)
	    : smtpd__schedule_take_more(d->schedule, now, *site);
	if (job != NULL)
		smtpd__spool_pin(d->spool, job->message);
	return job;
}

void
smtpd__dispatch_return(struct smtpd_delivery *d, struct smtpd_delivery_job *job,
    enum smtpd_dispatch_return how)
{
	struct smtpd_queued_message *message = job->message;
	uint32_t now = smtpd__spool_clock_now(d->spool);

	pthread_mutex_lock(&d->lock);
	if (how == SMTPD_RETURN_POSTPONED)
		smtpd__schedule_postpone(d->schedule, job, now);
	if (!is_deliverable(job)) {
		smtpd__schedule_retire(d->schedule, job);
	} else if (how == SMTPD_RETURN_UNTRIED) {
		smtpd__schedule_put_back(d->schedule, job, now);
		/* Its site may be new to it, and a worker wait there. */
		smtpd__dispatch_wake_worker(
		    d, smtpd__destination_site(job->destination));
	} else if (smtpd__schedule_insert(d->schedule, job, now) == -1) {
		d->unscheduled = true;
	}
	smtpd__dispatch_wake_maintenance(d);
	pthread_mutex_unlock(&d->lock);
	smtpd__spool_unpin(d->spool, message);
}

/* The smaller one, where 0 is none. */
static uint32_t
stricter_of(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/* SITE is entered: give it its limits, and ENTRY those that it has by now. */
static void
apply_limits(struct smtpd_delivery *d, struct smtpd_site *site,
    struct smtpd_site_entry *entry, uint32_t now)
{
	struct smtpd_shaping_info info;

	if (smtpd__limits_are_set(&entry->limits))
		smtpd__shaping_limit(d->schedule, site, &entry->limits, now);
	smtpd__shaping_describe(site, &info);
	entry->mails_max = stricter_of(info.limits.mails, info.full_at);
	entry->rcpts_max = info.limits.rcpts;
}

bool
smtpd__dispatch_enter_site(struct smtpd_delivery *d,
    struct smtpd_delivery_job *job, struct smtpd_site_entry *entry,
    struct smtpd_site **site)
{
	const struct smtpd_site *before = *site;
	uint32_t now = smtpd__spool_clock_now(d->spool);
	struct smtpd_site_status found;
	bool entered, handed_over = false;

	pthread_mutex_lock(&d->lock);
	found = smtpd__site_feedback_found(d->schedule, job->destination, now);
	entered = smtpd__destination_bind(
	    d->schedule, job->destination, entry->name, now, site);
	if (entered)
		apply_limits(d, *site, entry, now);
	/* Rather than to open a connection, use one that waits. */
	if (entered && (*site != before || !entry->connected))
		handed_over =
		    smtpd__worker_pool_wake_at_site(&d->pool, *site, job);
	if (handed_over) {
		smtpd__schedule_leave(d->schedule, *site, now);
		*site = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	smtpd__trouble_tell_site(d, &found, NULL);
	if (!entered)
		smtpd__dispatch_return(d, job, SMTPD_RETURN_UNTRIED);
	return entered && !handed_over;
}

uint32_t
smtpd__dispatch_suspend_domain(struct smtpd_delivery *d,
    struct smtpd_delivery_job *job, const char *name,
    const struct smtpd_result *why, struct smtpd_site **site)
{
	uint32_t now = smtpd__spool_clock_now(d->spool);
	struct smtpd_site_status status = { 0 };

	pthread_mutex_lock(&d->lock);
	if (smtpd__destination_bind(
		d->schedule, job->destination, name, now, site))
		status = smtpd__site_feedback_report(
		    d->schedule, *site, SMTPD_SITE_DOWN, why, now);
	pthread_mutex_unlock(&d->lock);
	smtpd__trouble_tell_site(d, &status, why);
	return status.resumes_at;
}

uint32_t
smtpd__dispatch_report_site(struct smtpd_delivery *d, struct smtpd_site *site,
    const struct smtpd_delivery_result *result, bool *paused)
{
	uint32_t now = smtpd__spool_clock_now(d->spool);
	enum smtpd_site_feedback feedback = result->feedback;
	struct smtpd_site_status status;
	struct smtpd_shaping_info info;

	if (feedback == SMTPD_SITE_FINE && result->took_ms >= SLOW_SITE_MS)
		feedback = SMTPD_SITE_SLOW;
	/* A site that wants fewer messages does not want fewer connections. */
	if (feedback == SMTPD_SITE_BUSY &&
	    result->signs.throttle == SMTPD_THROTTLE_SURE)
		feedback = SMTPD_SITE_UNTOLD;
	pthread_mutex_lock(&d->lock);
	smtpd__shaping_learn(d->schedule, site, &result->signs, now);
	smtpd__shaping_describe(site, &info);
	*paused = info.probe_at != 0;
	status = smtpd__site_feedback_report(
	    d->schedule, site, feedback, &result->why, now);
	pthread_mutex_unlock(&d->lock);
	smtpd__trouble_tell_site(d, &status, &result->why);
	if (result->feedback == SMTPD_SITE_FINE)
		smtpd__trouble_tell_all(d, false);
	return feedback == SMTPD_SITE_DOWN ? status.resumes_at : 0;
}
