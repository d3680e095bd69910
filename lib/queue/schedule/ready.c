/* SPDX-License-Identifier: MIT */
#include "queue/schedule/ready.h"

#include "base/container.h"
#include "queue/schedule/retry.h"
#include "queue/schedule/turn.h"

/* So many fresh jobs are tried for each retry that waits. */
#define STREAK 3

void
smtpd__ready_insert(
    struct smtpd_schedule *s, struct smtpd_delivery_job *job, bool first)
{
	const struct smtpd_queued_message *m = job->message;
	const struct smtpd_retry_rules *rules = &s->settings.retry;
	uint32_t notice = smtpd__retry_delay_notice(
	    rules, m->arrived, m->flags, job->delay_notice_sent);
	uint32_t expiry = smtpd__retry_expiry(rules, m->arrived, m->flags);
	uint32_t when = notice < expiry ? notice : expiry;
	struct smtpd_destination *d = job->destination;
	enum smtpd_job_kind kind =
	    job->attempts == 0 ? SMTPD_KIND_FRESH : SMTPD_KIND_RETRY;
	struct smtpd_job_queue *q = &d->ready[kind];

	job->previous = first ? NULL : q->last;
	job->next = first ? q->first : NULL;
	if (job->previous != NULL)
		job->previous->next = job;
	else
		q->first = job;
	if (job->next != NULL)
		job->next->previous = job;
	else
		q->last = job;
	if (first) {
		smtpd__ring_remove(&d->turn[kind]);
		smtpd__ring_prepend(&d->site->ready[kind], &d->turn[kind]);
	} else if (smtpd__ring_is_empty(&d->turn[kind])) {
		smtpd__ring_append(&d->site->ready[kind], &d->turn[kind]);
	}
	job->state = SMTPD_JOB_READY;
	/* It needs attention then, though nobody can try it.  There is always
	 * room for a job in the heap. */
	job->limited = when != SMTPD_TIME_NONE;
	if (job->limited)
		smtpd__heap_push(&s->limits, &job->timer, when);
	smtpd__turn_place(s, d->site);
}

void
smtpd__ready_remove(struct smtpd_schedule *s, struct smtpd_delivery_job *job)
{
	struct smtpd_destination *d = job->destination;
	enum smtpd_job_kind kind =
	    job->attempts == 0 ? SMTPD_KIND_FRESH : SMTPD_KIND_RETRY;

	if (job->previous != NULL)
		job->previous->next = job->next;
	else
		d->ready[kind].first = job->next;
	if (job->next != NULL)
		job->next->previous = job->previous;
	else
		d->ready[kind].last = job->previous;
	if (job->limited)
		smtpd__heap_remove(&s->limits, &job->timer);
	if (d->ready[kind].first == NULL)
		smtpd__ring_remove(&d->turn[kind]);
	smtpd__turn_place(s, d->site);
}

struct smtpd_delivery_job *
smtpd__ready_next(const struct smtpd_schedule *s, struct smtpd_site *site)
{
	bool fresh = !smtpd__ring_is_empty(&site->ready[SMTPD_KIND_FRESH]);
	bool retries = !smtpd__ring_is_empty(&site->ready[SMTPD_KIND_RETRY]);
	/* Retries stand back while there is fresh mail anywhere and they have
	 * their share of the workers. */
	bool barred =
	    s->retries >= s->retry_limit && (fresh || smtpd__turn_has_fresh(s));
	enum smtpd_job_kind kind = SMTPD_KIND_FRESH;
	struct smtpd_destination *d;
	struct smtpd_ring *turn;

	if (retries && !barred) {
		if (!fresh || site->streak >= STREAK) {
			site->streak = 0;
			kind = SMTPD_KIND_RETRY;
		} else {
			site->streak++;
		}
	}
	if (smtpd__ring_is_empty(&site->ready[kind]))
		return NULL;
	turn = site->ready[kind].next;
	d = SMTPD_CONTAINER_OF(turn - kind, struct smtpd_destination, turn);
	smtpd__ring_remove(turn);
	smtpd__ring_append(&site->ready[kind], turn);
	return d->ready[kind].first;
}
