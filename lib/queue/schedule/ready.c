/* SPDX-License-Identifier: MIT */
#include "queue/schedule/ready.h"

#include <stddef.h>

#include "base/container.h"
#include "queue/schedule/retry.h"
#include "queue/schedule/site.h"

/* So many fresh jobs are tried for each retry that waits. */
#define STREAK 3

static enum smtpd_job_kind
kind_of(const struct smtpd_delivery_job *job)
{
	return job->attempts == 0 ? SMTPD_KIND_FRESH : SMTPD_KIND_RETRY;
}

static void
append(struct smtpd_job_queue *q, struct smtpd_delivery_job *job)
{
	job->next = NULL;
	job->previous = q->last;
	*(q->last != NULL ? &q->last->next : &q->first) = job;
	q->last = job;
}

static void
prepend(struct smtpd_job_queue *q, struct smtpd_delivery_job *job)
{
	job->next = q->first;
	job->previous = NULL;
	*(q->first != NULL ? &q->first->previous : &q->last) = job;
	q->first = job;
}

static void
drop(struct smtpd_job_queue *q, struct smtpd_delivery_job *job)
{
	*(job->previous != NULL ? &job->previous->next : &q->first) = job->next;
	*(job->next != NULL ? &job->next->previous : &q->last) = job->previous;
}

/* There is always room for a job in the heap. */
static void
note_ready(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	uint32_t event = smtpd__retry_event(s, job);

	job->state = SMTPD_JOB_READY;
	job->limited = event != SMTPD_TIME_NONE;
	if (job->limited)
		smtpd__heap_push(&s->limits, &job->timer, event);
	smtpd__site_settle(s, job->destination->site);
}

void
smtpd__ready_append(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	struct smtpd_destination *d = job->destination;
	enum smtpd_job_kind kind = kind_of(job);

	append(&d->ready[kind], job);
	if (smtpd__ring_is_empty(&d->turn[kind]))
		smtpd__ring_append(&d->site->ready[kind], &d->turn[kind]);
	note_ready(s, job);
}

void
smtpd__ready_prepend(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	struct smtpd_destination *d = job->destination;
	enum smtpd_job_kind kind = kind_of(job);

	prepend(&d->ready[kind], job);
	smtpd__ring_remove(&d->turn[kind]);
	smtpd__ring_prepend(&d->site->ready[kind], &d->turn[kind]);
	note_ready(s, job);
}

void
smtpd__ready_remove(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	struct smtpd_destination *d = job->destination;
	enum smtpd_job_kind kind = kind_of(job);

	drop(&d->ready[kind], job);
	if (job->limited)
		smtpd__heap_remove(&s->limits, &job->timer);
	if (d->ready[kind].first == NULL)
		smtpd__ring_remove(&d->turn[kind]);
	smtpd__site_settle(s, d->site);
}

/* Whether only fresh mail may be tried: there is some, and retries have their
 * share of the workers. */
static bool
are_retries_barred(
    const struct smtpd_schedule *s, const struct smtpd_site *site)
{
	return s->retries >= s->retry_limit &&
	    (smtpd__site_has_ready(site, SMTPD_KIND_FRESH) ||
		!smtpd__ring_is_empty(&s->fresh_turn));
}

static enum smtpd_job_kind
choose_kind(const struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (!smtpd__site_has_ready(site, SMTPD_KIND_RETRY) ||
	    are_retries_barred(s, site))
		return SMTPD_KIND_FRESH;
	if (!smtpd__site_has_ready(site, SMTPD_KIND_FRESH) ||
	    site->streak >= STREAK) {
		site->streak = 0;
		return SMTPD_KIND_RETRY;
	}
	site->streak++;
	return SMTPD_KIND_FRESH;
}

struct smtpd_delivery_job *
smtpd__ready_next(const struct smtpd_schedule *s, struct smtpd_site *site)
{
	enum smtpd_job_kind kind = choose_kind(s, site);
	struct smtpd_ring *turn = site->ready[kind].next;
	struct smtpd_destination *d;

	if (!smtpd__site_has_ready(site, kind))
		return NULL;
	d = SMTPD_CONTAINER_OF(turn - kind, struct smtpd_destination, turn);
	smtpd__ring_remove(turn);
	smtpd__ring_append(&site->ready[kind], turn);
	return d->ready[kind].first;
}

void
smtpd__ready_move(struct smtpd_schedule *s, struct smtpd_destination *d,
    struct smtpd_site *site)
{
	struct smtpd_site *old = d->site;

	d->site = site;
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++) {
		smtpd__ring_remove(&d->turn[kind]);
		if (d->ready[kind].first != NULL)
			smtpd__ring_append(&site->ready[kind], &d->turn[kind]);
	}
	smtpd__site_settle(s, old);
	smtpd__site_settle(s, site);
}
