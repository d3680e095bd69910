/* SPDX-License-Identifier: MIT */
#include "queue/schedule/schedule.h"

#include <stdlib.h>

#include "base/container.h"
#include "queue/schedule/ready.h"
#include "queue/schedule/shaping.h"
#include "queue/schedule/site.h"
#include "queue/schedule/turn.h"

#define START_LIMIT 2

/* A ready job that needs attention, but can be tried as soon as there is a
 * worker, is looked at again after so many seconds. */
#define LOOK_AGAIN_S 60

/* N, but 1 at least and MAX at most. */
static uint32_t
bounded_by(uint32_t n, uint32_t max)
{
	if (n == 0)
		return 1;
	return n < max ? n : max;
}

struct smtpd_schedule *
smtpd__schedule_create(const struct smtpd_schedule_settings *settings)
{
	struct smtpd_schedule *s = calloc(1, sizeof(*s));
	uint32_t seed;

	if (s == NULL)
		return NULL;
	s->settings = *settings;
	s->random = settings->seed;
	seed = (uint32_t)(settings->seed >> 32);
	s->site_limit = bounded_by(settings->site_connections,
	    bounded_by(settings->workers / 4, UINT32_MAX));
	s->start_limit = bounded_by(START_LIMIT, s->site_limit);
	s->retry_limit = bounded_by(settings->workers / 2, UINT32_MAX);
	s->stranger_limit = UINT32_MAX;
	if (s->settings.aside > s->settings.workers)
		s->stranger_limit =
		    (s->settings.workers + s->settings.aside) / 2;
	for (int i = 0; i < SMTPD_ACQUAINTANCES; i++) {
		smtpd__ring_init(&s->turns[i].all);
		smtpd__ring_init(&s->turns[i].fresh);
	}
	if (smtpd__name_table_init(&s->destinations, seed) == -1 ||
	    smtpd__name_table_init(&s->sites, seed) == -1) {
		smtpd__schedule_destroy(s);
		return NULL;
	}
	return s;
}

/* Only sites are left that are suspended, or have limits to remember. */
void
smtpd__schedule_destroy(struct smtpd_schedule *s)
{
	if (s == NULL)
		return;
	smtpd__site_resume_due(s, SMTPD_TIME_NONE);
	smtpd__name_table_finish(&s->destinations);
	smtpd__name_table_finish(&s->sites);
	smtpd__heap_finish(&s->later);
	smtpd__heap_finish(&s->limits);
	smtpd__heap_finish(&s->suspended);
	smtpd__heap_finish(&s->shaped);
	free(s);
}

/* The first job of H that is due at NOW; NULL: none. */
static struct smtpd_delivery_job *
due_job(const struct smtpd_heap *h, uint32_t now)
{
	struct smtpd_heap_node *top = smtpd__heap_top(h);

	if (top == NULL || top->when > now)
		return NULL;
	return SMTPD_CONTAINER_OF(top, struct smtpd_delivery_job, timer);
}

/* Make ready the jobs that are due, and resume sites. */
static void
make_due_ready(struct smtpd_schedule *s, uint32_t now)
{
	struct smtpd_delivery_job *job;

	smtpd__site_resume_due(s, now);
	while ((job = due_job(&s->later, now)) != NULL) {
		smtpd__heap_remove(&s->later, &job->timer);
		smtpd__ready_insert(s, job, false);
	}
}

/* JOB was active, and no worker has it any more. */
static void
end_activity(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	if (job->retrying)
		s->retries--;
	job->retrying = false;
	job->state = SMTPD_JOB_OUT;
}

int
smtpd__schedule_insert(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now)
{
	bool is_new = job->state == SMTPD_JOB_OUT;

	if (job->state == SMTPD_JOB_LATER || job->state == SMTPD_JOB_READY)
		return 0;
	if (job->state == SMTPD_JOB_ACTIVE) {
		end_activity(s, job);
	} else {
		if (smtpd__heap_fit(&s->later, s->njobs + 1) == -1 ||
		    smtpd__heap_fit(&s->limits, s->njobs + 1) == -1)
			return -1;
		s->njobs++;
	}
	if (job->due <= now) {
		smtpd__ready_insert(s, job, false);
		if (is_new && job->attempts == 0)
			smtpd__site_hasten(s, job->destination->site, now);
		return 0;
	}
	job->state = SMTPD_JOB_LATER;
	smtpd__heap_push(&s->later, &job->timer, job->due);
	return 0;
}

void
smtpd__schedule_put_back(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now)
{
	end_activity(s, job);
	smtpd__ready_insert(s, job, true);
	if (job->attempts == 0)
		smtpd__site_hasten(s, job->destination->site, now);
	smtpd__site_resume_due(s, now);
}

void
smtpd__schedule_withdraw(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	if (job->state == SMTPD_JOB_LATER)
		smtpd__heap_remove(&s->later, &job->timer);
	else if (job->state == SMTPD_JOB_READY)
		smtpd__ready_remove(s, job);
	else
		return;
	job->state = SMTPD_JOB_OUT;
	s->njobs--;
}

void
smtpd__schedule_retire(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	if (job->state != SMTPD_JOB_ACTIVE)
		return;
	end_activity(s, job);
	s->njobs--;
}

/* Give JOB, which is ready, to a worker, to be tried. */
static void
activate_job(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	smtpd__ready_remove(s, job);
	job->state = SMTPD_JOB_ACTIVE;
	job->retrying = job->attempts > 0;
	if (job->retrying)
		s->retries++;
}

struct smtpd_delivery_job *
smtpd__schedule_take(
    struct smtpd_schedule *s, uint32_t now, struct smtpd_site **site)
{
	struct smtpd_delivery_job *job;
	struct smtpd_site *next;

	make_due_ready(s, now);
	next = smtpd__turn_next(s);
	if (next == NULL || s->busy >= s->settings.workers)
		return NULL;
	job = smtpd__ready_next(s, next);
	activate_job(s, job);
	smtpd__turn_served(s, next);
	smtpd__site_enter(s, next, now);
	s->busy++;
	*site = next;
	return job;
}

struct smtpd_delivery_job *
smtpd__schedule_take_more(
    struct smtpd_schedule *s, uint32_t now, struct smtpd_site *site)
{
	struct smtpd_delivery_job *job;

	make_due_ready(s, now);
	if (site->suspended || site->connections > site->limit ||
	    smtpd__state_is_held(site))
		return NULL;
	job = smtpd__ready_next(s, site);
	if (job == NULL)
		return NULL;
	activate_job(s, job);
	smtpd__shaping_use_message(s, site, now);
	site->probing = true;
	return job;
}

bool
smtpd__schedule_has_more(
    struct smtpd_schedule *s, uint32_t now, const struct smtpd_site *site)
{
	make_due_ready(s, now);
	return !site->suspended && site->connections <= site->limit &&
	    !smtpd__state_is_held(site) &&
	    (!smtpd__ring_is_empty(&site->ready[SMTPD_KIND_FRESH]) ||
		!smtpd__ring_is_empty(&site->ready[SMTPD_KIND_RETRY]));
}

bool
smtpd__schedule_needs_worker(struct smtpd_schedule *s, uint32_t now)
{
	make_due_ready(s, now);
	return smtpd__turn_next(s) != NULL;
}

bool
smtpd__schedule_is_full(const struct smtpd_schedule *s)
{
	return s->busy >= s->settings.workers;
}

bool
smtpd__schedule_set_aside(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	struct smtpd_site *site;

	if (s->aside >= s->settings.aside)
		return false;
	s->busy--;
	s->aside++;
	if (job == NULL)
		return true;
	if (job->retrying)
		s->retries--;
	job->retrying = false;
	site = job->destination->site;
	if (!site->known)
		site->limit = 1;
	smtpd__turn_place(s, site);
	return true;
}

void
smtpd__schedule_rejoin(struct smtpd_schedule *s)
{
	s->aside--;
	s->busy++;
}

void
smtpd__schedule_leave(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now)
{
	s->busy--;
	smtpd__site_leave(s, site);
	smtpd__site_resume_due(s, now);
}

struct smtpd_retry
smtpd__schedule_retry(struct smtpd_schedule *s,
    const struct smtpd_delivery_job *job, struct smtpd_retry_facts *facts,
    uint32_t now)
{
	facts->now = now;
	facts->arrived = job->message->arrived;
	facts->flags = job->message->flags;
	facts->due = job->due;
	facts->attempts = job->attempts;
	facts->delay_notice_sent = job->delay_notice_sent;
	return smtpd__retry_decide(
	    &s->settings.retry, facts, smtpd__state_random(s));
}

void
smtpd__schedule_postpone(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now)
{
	const struct smtpd_retry_facts facts = {
		.now = now,
		.arrived = job->message->arrived,
		.flags = job->message->flags,
		.tried = true,
		.in_doubt = job->in_doubt,
	};

	job->due = smtpd__retry_decide(
	    &s->settings.retry, &facts, smtpd__state_random(s))
		       .due;
}

/*
 * Return true if a ready job, whose timer has come, cannot be tried instead.
 * Where a site works but has more mail than it takes, the end of life does not
 * come before a job had some time for its last try.
 */
static bool
is_overdue(const struct smtpd_schedule *s, const struct smtpd_delivery_job *job,
    uint32_t now)
{
	const struct smtpd_retry_rules *rules = &s->settings.retry;
	const struct smtpd_site *site = job->destination->site;
	uint32_t expiry = smtpd__retry_expiry(
	    rules, job->message->arrived, job->message->flags);

	if (smtpd__state_has_room(site))
		return false;
	if (site->suspended || site->failures > 0 || now < expiry)
		return true;
	return now >= smtpd__retry_after(expiry, rules->max);
}

struct smtpd_delivery_job *
smtpd__schedule_overdue(struct smtpd_schedule *s, uint32_t now)
{
	struct smtpd_delivery_job *job;
	uint32_t pause = bounded_by(s->settings.retry.min, LOOK_AGAIN_S);

	make_due_ready(s, now);
	while ((job = due_job(&s->limits, now)) != NULL) {
		if (is_overdue(s, job, now)) {
			smtpd__ready_remove(s, job);
			job->state = SMTPD_JOB_ACTIVE;
			return job;
		}
		smtpd__heap_remove(&s->limits, &job->timer);
		smtpd__heap_push(
		    &s->limits, &job->timer, smtpd__retry_after(now, pause));
	}
	return NULL;
}

uint32_t
smtpd__schedule_next_time(const struct smtpd_schedule *s, uint32_t now)
{
	const struct smtpd_heap *heaps[] = { &s->later, &s->limits,
		&s->suspended, &s->shaped };
	uint32_t next = SMTPD_TIME_NONE;

	for (size_t i = 0; i < sizeof(heaps) / sizeof(heaps[0]); i++) {
		const struct smtpd_heap_node *top = smtpd__heap_top(heaps[i]);

		if (top != NULL && top->when < next)
			next = top->when;
	}
	if (next < now ||
	    (smtpd__turn_next(s) != NULL && s->busy < s->settings.workers))
		return now;
	return next;
}

void
smtpd__schedule_flush(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, uint32_t now)
{
	if (job->state == SMTPD_JOB_LATER) {
		smtpd__heap_remove(&s->later, &job->timer);
		if (job->due > now)
			job->due = now;
		smtpd__ready_insert(s, job, false);
	}
	if (job->state == SMTPD_JOB_READY)
		smtpd__site_resume(s, job->destination->site);
}
