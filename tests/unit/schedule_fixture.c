/* SPDX-License-Identifier: MIT */
#include "schedule_fixture.h"

#include <stdlib.h>

#include "queue/schedule/state.h"

#include "test.h"

const uint32_t world_epochs[3] = { 0, 1000, UINT32_MAX / 2 };

const struct smtpd_schedule_settings world_defaults = {
	.workers = 64,
	.site_connections = 10,
	.retry = {
		.min = 5 * MINUTE,
		.max = 2 * HOUR,
		.lifetime = 5 * DAY,
		.bounce_lifetime = 2 * DAY,
		.delay_notice = 4 * HOUR,
	},
	.seed = 0x123456789abcdef,
};

void
world_begin(struct world *w, const struct smtpd_schedule_settings *settings,
    uint32_t now)
{
	*w = (struct world){ .now = now };
	w->settings = settings != NULL ? *settings : world_defaults;
	w->schedule = smtpd__schedule_create(&w->settings);
	assert_non_null(w->schedule);
}

void
world_end(struct world *w)
{
	struct smtpd_schedule *s = w->schedule;

	world_check(w);
	for (size_t i = 0; i < w->njobs; i++)
		if (w->jobs[i] != NULL)
			world_finish(w, w->jobs[i]);
	world_check(w);
	assert_int_equal(s->busy, 0);
	assert_int_equal(s->aside, 0);
	assert_int_equal(s->strangers, 0);
	assert_int_equal(s->njobs, 0);
	assert_int_equal(s->retries, 0);
	/* Some may be both. */
	assert_in_range(s->nsites, s->suspended.count,
	    s->suspended.count + s->shaped.count);
	smtpd__schedule_destroy(s);
	free(w->jobs);
}

static int
make_room(struct world *w)
{
	size_t room = w->room * 2 + 16;
	struct smtpd_delivery_job **jobs;

	if (w->njobs < w->room)
		return 0;
	jobs = realloc(w->jobs, room * sizeof(struct smtpd_delivery_job *));
	if (jobs == NULL)
		return -1;
	w->jobs = jobs;
	w->room = room;
	return 0;
}

struct smtpd_delivery_job *
world_make(struct world *w, const char *domain, unsigned flags)
{
	struct smtpd_queued_message *e =
	    calloc(1, sizeof(*e) + sizeof(struct smtpd_delivery_job));
	struct smtpd_delivery_job *job;

	if (e == NULL || make_room(w) == -1) {
		free(e);
		return NULL;
	}
	e->arrived = w->now;
	e->njobs = 1;
	e->flags = (uint16_t)flags;
	job = &e->jobs[0];
	job->message = e;
	job->due = w->now;
	job->destination = smtpd__destination_ref(w->schedule, domain);
	if (job->destination == NULL) {
		free(e);
		return NULL;
	}
	job->first = (uint32_t)w->njobs;
	w->jobs[w->njobs++] = job;
	return job;
}

static struct smtpd_delivery_job *
make_and_insert(struct world *w, const char *domain, uint16_t attempts)
{
	struct smtpd_delivery_job *job = world_make(w, domain, 0);

	assert_non_null(job);
	job->attempts = attempts;
	assert_int_equal(smtpd__schedule_insert(w->schedule, job, w->now), 0);
	return job;
}

struct smtpd_delivery_job *
world_mail(struct world *w, const char *domain)
{
	return make_and_insert(w, domain, 0);
}

void
world_mail_many(struct world *w, const char *domain, size_t count)
{
	while (count-- > 0)
		world_mail(w, domain);
}

struct smtpd_delivery_job *
world_retry(struct world *w, const char *domain)
{
	return make_and_insert(w, domain, 1);
}

void
world_finish(struct world *w, struct smtpd_delivery_job *job)
{
	smtpd__schedule_withdraw(w->schedule, job);
	smtpd__schedule_retire(w->schedule, job);
	assert_int_equal(job->state, SMTPD_JOB_OUT);
	smtpd__destination_unref(w->schedule, job->destination);
	w->jobs[job->first] = NULL;
	free(job->message);
}

struct smtpd_delivery_job *
world_take(struct world *w, struct smtpd_site **site)
{
	struct smtpd_delivery_job *job =
	    smtpd__schedule_take(w->schedule, w->now, site);

	assert_non_null(job);
	assert_int_equal(job->state, SMTPD_JOB_ACTIVE);
	assert_ptr_equal(*site, smtpd__destination_site(job->destination));
	return job;
}

void
world_take_none(struct world *w)
{
	struct smtpd_site *site;

	assert_null(smtpd__schedule_take(w->schedule, w->now, &site));
}

void
world_sent(
    struct world *w, struct smtpd_delivery_job *job, struct smtpd_site *site)
{
	smtpd__site_feedback_report(
	    w->schedule, site, SMTPD_SITE_FINE, NULL, w->now);
	world_finish(w, job);
	smtpd__schedule_leave(w->schedule, site, w->now);
}

struct smtpd_retry
world_decide(struct world *w, const struct smtpd_delivery_job *job, bool tried)
{
	struct smtpd_retry_facts facts = {
		.tried = tried,
		.in_doubt = job->in_doubt,
	};

	return smtpd__schedule_retry(w->schedule, job, &facts, w->now);
}

void
world_retry_later(struct world *w, struct smtpd_delivery_job *job)
{
	struct smtpd_retry r = world_decide(w, job, true);

	job->attempts = r.attempts;
	job->due = r.due;
}

void
world_defer(struct world *w, struct smtpd_delivery_job *job,
    struct smtpd_site *site, enum smtpd_site_feedback feedback)
{
	struct smtpd_result why = { .text = "it is not there" };

	smtpd__site_feedback_report(w->schedule, site, feedback, &why, w->now);
	world_retry_later(w, job);
	assert_int_equal(smtpd__schedule_insert(w->schedule, job, w->now), 0);
	smtpd__schedule_leave(w->schedule, site, w->now);
}

uint32_t
world_suspend(struct world *w)
{
	struct smtpd_site *site;
	struct smtpd_delivery_job *job = world_take(w, &site);

	world_defer(w, job, site, SMTPD_SITE_DOWN);
	return world_site_info(job).resumes_at;
}

struct smtpd_site_info
world_site_info(const struct smtpd_delivery_job *job)
{
	struct smtpd_site_info facts;

	smtpd__destination_site_info(job->destination, &facts);
	return facts;
}

static void
check_heap(const struct smtpd_heap *h)
{
	assert_true(h->count <= h->room);
	for (uint32_t i = 0; i < h->count; i++) {
		assert_int_equal(h->nodes[i]->slot, i);
		assert_true(
		    i == 0 || h->nodes[(i - 1) / 4]->when <= h->nodes[i]->when);
	}
}

static size_t
length(const struct smtpd_ring *list)
{
	size_t n = 0;

	for (const struct smtpd_ring *r = list->next; r != list; r = r->next) {
		assert_ptr_equal(r->next->previous, r);
		n++;
	}
	return n;
}

/* Return how many jobs are ready at D. */
static size_t
check_destination(const struct smtpd_destination *d)
{
	size_t n = 0;

	assert_true(d->refs > 0 || d->site == d->own);
	assert_true(d->own == NULL || d->own->owner == d);
	assert_true(d->site->owner == NULL || d->site == d->own);
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++) {
		const struct smtpd_delivery_job *job = d->ready[kind].first,
						*last = NULL;

		assert_int_equal(
		    job == NULL, smtpd__ring_is_empty(&d->turn[kind]));
		for (; job != NULL; last = job, job = job->next, n++) {
			assert_int_equal(job->state, SMTPD_JOB_READY);
			assert_ptr_equal(job->destination, d);
			assert_int_equal(job->attempts > 0, kind);
			assert_ptr_equal(job->previous, last);
		}
		assert_ptr_equal(d->ready[kind].last, last);
	}
	return n;
}

static void
check_site(const struct smtpd_schedule *s, const struct smtpd_site *site)
{
	size_t fresh = length(&site->ready[SMTPD_KIND_FRESH]);
	size_t all = fresh + length(&site->ready[SMTPD_KIND_RETRY]);
	bool room = !site->suspended && site->connections < site->limit;
	const struct smtpd_shaping *sh = site->shaping;

	if (sh != NULL)
		room = room && !sh->held && !sh->closed;
	assert_int_equal(!smtpd__ring_is_empty(&site->turn), room && all > 0);
	assert_int_equal(
	    !smtpd__ring_is_empty(&site->fresh_turn), room && fresh > 0);
	assert_true(site->limit >= 1 && site->limit <= s->site_limit);
	assert_true(!site->suspended || site->failures > 0);
	assert_true(site->owner == NULL || site->owner->own == site);
	if (site->suspended)
		assert_ptr_equal(
		    s->suspended.nodes[site->resuming.slot], &site->resuming);
	if (sh != NULL && sh->looking.when != 0)
		assert_ptr_equal(
		    s->shaped.nodes[sh->looking.slot], &sh->looking);
	assert_true(
	    sh == NULL || !(sh->held || sh->closed) || sh->looking.when != 0);
}

static struct smtpd_site *
site_of(struct smtpd_named *n)
{
	return (struct smtpd_site *)(void *)((char *)n -
	    offsetof(struct smtpd_site, named));
}

/* Check all sites.  Return how many connections they have. */
static uint32_t
check_sites(const struct smtpd_schedule *s, size_t *nready)
{
	uint32_t connections = 0, count = 0, users = 0, bound = 0;
	const struct smtpd_name_table *t = &s->sites;

	*nready = 0;
	for (uint32_t i = 0; i < t->size; i++)
		for (struct smtpd_named *n = t->buckets[i]; n != NULL;
		    n = n->next, count++) {
			check_site(s, site_of(n));
			users += site_of(n)->users;
			connections += site_of(n)->connections;
		}
	t = &s->destinations;
	for (uint32_t i = 0; i < t->size; i++)
		for (struct smtpd_named *n = t->buckets[i]; n != NULL;
		    n = n->next) {
			const struct smtpd_destination *d =
			    (const struct smtpd_destination *)(void *)n;

			*nready += check_destination(d);
			bound += d->site->owner == NULL;
			if (d->own == NULL)
				continue;
			check_site(s, d->own);
			connections += d->own->connections;
			count++;
		}
	assert_int_equal(users, bound);
	assert_int_equal(count, s->nsites);
	return connections;
}

void
world_check(const struct world *w)
{
	const struct smtpd_schedule *s = w->schedule;
	size_t later = 0, ready = 0, active = 0, limited = 0, retrying = 0;
	size_t in_queues;

	for (size_t i = 0; i < w->njobs; i++) {
		const struct smtpd_delivery_job *job = w->jobs[i];

		if (job == NULL)
			continue;
		later += job->state == SMTPD_JOB_LATER;
		ready += job->state == SMTPD_JOB_READY;
		active += job->state == SMTPD_JOB_ACTIVE;
		limited += job->state == SMTPD_JOB_READY && job->limited;
		retrying += job->retrying;
	}
	check_heap(&s->later);
	check_heap(&s->limits);
	check_heap(&s->suspended);
	check_heap(&s->shaped);
	assert_int_equal(check_sites(s, &in_queues), s->busy + s->aside);
	assert_int_equal(in_queues, ready);
	assert_int_equal(s->later.count, later);
	assert_int_equal(s->limits.count, limited);
	assert_int_equal(s->retries, retrying);
	assert_int_equal(s->njobs, later + ready + active);
}
