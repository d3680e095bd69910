/* SPDX-License-Identifier: MIT */
#include "queue/delivery/disposition.h"

#include <stdlib.h>
#include <string.h>

#include "client/result.h"
#include "os/clock.h"
#include "queue/delivery/dead_letter.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/history.h"
#include "queue/delivery/late_sync.h"
#include "queue/delivery/report.h"
#include "queue/delivery/trouble.h"

/* Recipients of one record: with the longest replies, their report beside them,
 * they fit into one commit of the smallest journal. */
#define RECORD_RCPTS 400

/* Some of the recipients of one record, and what the sender is told of them. */
struct part {
	struct smtpd_progress progress;
	struct smtpd_report report;
};

/* How that ended. */
enum recorded {
	RECORDED,
	NOT_RECORDED,
	GATHERED, /* it waits, with its job, for the reports of others */
};

/* Recipients that are recorded one after the other, and those of them that the
 * sender is told of, by number, and how: all in a report for each record. */
struct group {
	struct smtpd_rcpt_progress *rcpts;
	size_t count;
	enum smtpd_dsn_action action;
	size_t from, to;
};

/* Finish the recipients that are left: what failed for now failed for good. */
static void
expire_rest(const struct smtpd_delivery *d, struct smtpd_disposition *s,
    unsigned attempts)
{
	for (size_t i = 0; i < s->nrcpts; i++) {
		struct smtpd_result *r = &s->rcpts[i].result;

		if (s->rcpts[i].finished)
			continue;
		s->rcpts[i].finished = true;
		s->rcpts[i].expired = true;
		s->rcpts[i].in_doubt = s->job->in_doubt;
		r->outcome = SMTPD_OUTCOME_PERMANENT;
		if (r->code == 0)
			memcpy(r->status, "4.4.7", sizeof("4.4.7"));
		smtpd__history_log_expired(&d->logger, s->loaded, &s->rcpts[i],
		    smtpd__destination_name(s->job->destination), attempts);
	}
}

/* Whether a recipient waits for its operator. */
static bool
is_held(const struct smtpd_disposition *s)
{
	for (size_t i = 0; i < s->nrcpts; i++)
		if (!s->rcpts[i].finished &&
		    smtpd__result_is_held(&s->rcpts[i].result))
			return true;
	return false;
}

/* Decide when the job is tried again, and expire it if its end has come. */
static struct smtpd_retry
decide_retry(struct smtpd_delivery *d, struct smtpd_disposition *s)
{
	struct smtpd_retry_facts facts = {
		.site_resumes_at = s->site_resumes_at,
		.tried = s->tried && !s->too_fast,
		.cancelled = s->cancelled,
		.in_doubt = s->in_doubt,
		.held = is_held(s),
	};
	struct smtpd_retry retry;

	pthread_mutex_lock(&d->lock);
	retry = smtpd__schedule_retry(
	    d->schedule, s->job, &facts, smtpd__spool_clock_now(d->spool));
	s->job->in_doubt |= s->in_doubt;
	pthread_mutex_unlock(&d->lock);
	if (s->tried && smtpd__dead_letter_is_notice(s->loaded))
		retry.expired = true;
	if (retry.expired)
		expire_rest(d, s, retry.attempts);
	return retry;
}

/* Bring the recipients whose outcome is OUTCOME, or those whose is not, to the
 * front of COUNT.  Return how many there are. */
static size_t
bring_to_front(struct smtpd_rcpt_progress *rcpts, size_t count,
    enum smtpd_outcome outcome, bool equal)
{
	size_t front = 0;

	for (size_t i = 0; i < count; i++) {
		if ((rcpts[i].result.outcome == outcome) != equal)
			continue;
		if (i != front) {
			struct smtpd_rcpt_progress r = rcpts[i];

			rcpts[i] = rcpts[front];
			rcpts[front] = r;
		}
		front++;
	}
	return front;
}

static void
set_report(struct smtpd_delivery *d, const struct smtpd_disposition *s,
    const struct smtpd_retry *retry, struct part *p,
    enum smtpd_dsn_action action, const struct smtpd_rcpt_progress *rcpts,
    size_t count)
{
	p->report.about = (struct smtpd_bounce){
		.hostname = d->hostname,
		.settings = &d->settings,
		.loaded = s->loaded,
		.flags = s->job->message->flags,
		.action = action,
		.rcpts = rcpts,
		.nrcpts = count,
		.attempts = retry->attempts,
		.postmaster = d->settings.postmaster,
		.signing = &d->signing,
		.now_ms = smtpd__clock_wall_ms(),
		.until_ms = retry->expiry == SMTPD_TIME_NONE
		    ? 0
		    : smtpd__spool_clock_wall_ms(d->spool, retry->expiry),
	};
}

/* What is recorded of any recipients of S. */
static struct smtpd_progress
make_progress(
    const struct smtpd_disposition *s, const struct smtpd_retry *retry)
{
	return (struct smtpd_progress){
		.job = s->job,
		.due = retry->due,
		.attempts = retry->attempts,
		.in_doubt = s->job->in_doubt,
		.delay_notice_sent = s->job->delay_notice_sent,
		.rcpts = s->rcpts,
		.nrcpts = s->nrcpts,
		.history = s->history,
		.history_len = s->history_len,
	};
}

/*
 * Count the recipients by outcome, and divide them into two groups: first those
 * that did not fail, then those that did.  A kill between two records has only
 * those tried once more that are in none.
 */
static void
divide_rcpts(struct smtpd_delivery *d, struct smtpd_disposition *s,
    const struct smtpd_retry *retry, struct group groups[2])
{
	size_t others =
	    bring_to_front(s->rcpts, s->nrcpts, SMTPD_OUTCOME_PERMANENT, false);
	size_t failed = s->nrcpts - others;
	size_t sent =
	    bring_to_front(s->rcpts, others, SMTPD_OUTCOME_SENT, true);

	groups[0] = (struct group){ .rcpts = s->rcpts, .count = others };
	groups[1] = (struct group){
		.rcpts = s->rcpts + others,
		.count = failed,
		.action = SMTPD_DSN_FAILED,
		.to = failed,
	};
	if (sent > 0 && !s->reports_success) {
		/* One report in a commit: a delay notice comes with the next
		 * attempt. */
		groups[0].action = SMTPD_DSN_RELAYED;
		groups[0].to = sent;
	} else if (retry->wants_delay_notice) {
		groups[0].action = SMTPD_DSN_DELAYED;
		groups[0].from = sent;
		groups[0].to = others;
	}
	atomic_fetch_add(&d->counts.sent, sent);
	atomic_fetch_add(&d->counts.failed, failed);
}

/* Record P.  The disk is waited for only where a report, or a dead letter,
 * takes the place of what P ends.  Return 0, or -1 with errno. */
static int
record_once(struct smtpd_delivery *d, struct part *p)
{
	struct smtpd_queued_message *report = NULL;
	int status = smtpd__report_prepare(d, &p->report);
	bool made = p->report.mail.content != NULL;

	if (status == 0 && (made || p->report.dead_lettered)) {
		p->progress.report = made ? &p->report.mail : NULL;
		status = smtpd__spool_progress(d->spool, &p->progress, &report);
	} else if (status == 0) {
		status = smtpd__spool_progress_begin(d->spool, &p->progress);
		smtpd__late_sync_wake(d);
	}
	smtpd__bounce_free(p->report.hold);
	if (report != NULL)
		smtpd__report_queued(d, report, p->report.about.loaded);
	return status;
}

/* Record G, in as many records as that takes.  What was sent must not be sent
 * again because the disk is in trouble, so this waits for the disk then, until
 * the queue stops.  The last of the failures may be gathered with others'. */
static enum recorded
record_group(struct smtpd_delivery *d, struct smtpd_disposition *s,
    const struct smtpd_retry *retry, const struct group *g)
{
	size_t n;

	for (size_t at = 0; at < g->count; at += n) {
		struct smtpd_disk_trouble trouble = { .last = s->no_wait };
		struct part p = { .progress = make_progress(s, retry) };
		size_t from = g->from > at ? g->from : at, to;

		n = g->count - at < RECORD_RCPTS ? g->count - at : RECORD_RCPTS;
		to = g->to < at + n ? g->to : at + n;
		p.progress.rcpts = g->rcpts + at;
		p.progress.nrcpts = n;
		if (from < to && g->action == SMTPD_DSN_DELAYED)
			p.progress.delay_notice_sent = true;
		if (from < to)
			set_report(d, s, retry, &p, g->action, g->rcpts + from,
			    to - from);
		if (from < to && g->action == SMTPD_DSN_FAILED &&
		    at + n == g->count &&
		    smtpd__gather_add(d, &p.progress, &p.report.about))
			return GATHERED;
		while (record_once(d, &p) == -1) {
			if (!smtpd__trouble_await_disk(
				d, &trouble, &d->stopping))
				return NOT_RECORDED;
		}
		/* It is told once. */
		s->history_len = 0;
	}
	if (!s->no_wait)
		smtpd__late_sync_wait(d);
	return RECORDED;
}

void
smtpd__disposition_record_sent(
    struct smtpd_delivery *d, struct smtpd_disposition *s, bool dsn)
{
	struct smtpd_delivery_job *job = s->job;
	const struct smtpd_retry as_before = {
		.due = job->due,
		.attempts = job->attempts,
	};
	struct smtpd_disposition part = {
		.job = job,
		.loaded = s->loaded,
		.rcpts = calloc(s->nrcpts, sizeof(*s->rcpts)),
		.reports_success = dsn,
	};
	struct group groups[2];

	for (size_t i = 0; part.rcpts != NULL && i < s->nrcpts; i++) {
		if (s->rcpts[i].recorded ||
		    s->rcpts[i].result.outcome != SMTPD_OUTCOME_SENT)
			continue;
		part.rcpts[part.nrcpts] = s->rcpts[i];
		part.rcpts[part.nrcpts].tried_ms = smtpd__clock_wall_ms();
		part.rcpts[part.nrcpts++].finished = true;
	}
	if (part.nrcpts > 0) {
		divide_rcpts(d, &part, &as_before, groups);
		if (record_group(d, &part, &as_before, &groups[0]) == RECORDED)
			for (size_t i = 0; i < s->nrcpts; i++)
				s->rcpts[i].recorded |=
				    s->rcpts[i].result.outcome ==
				    SMTPD_OUTCOME_SENT;
	}
	free(part.rcpts);
}

void
smtpd__disposition_finish(struct smtpd_delivery *d, struct smtpd_disposition *s)
{
	struct smtpd_retry retry;
	struct group groups[2];
	enum recorded how = RECORDED;
	size_t left = 0;

	/* Some were recorded while the attempt went on. */
	for (size_t i = 0; i < s->nrcpts; i++)
		if (!s->rcpts[i].recorded)
			s->rcpts[left++] = s->rcpts[i];
	s->nrcpts = left;
	if (s->tried)
		for (size_t i = 0; i < s->nrcpts; i++)
			s->rcpts[i].tried_ms = smtpd__clock_wall_ms();
	retry = decide_retry(d, s);
	divide_rcpts(d, s, &retry, groups);
	for (int i = 0; i < 2 && how == RECORDED; i++)
		how = record_group(d, s, &retry, &groups[i]);
	if (how != GATHERED)
		smtpd__dispatch_return(d, s->job,
		    how == RECORDED ? SMTPD_RETURN_TRIED
				    : SMTPD_RETURN_POSTPONED);
}
