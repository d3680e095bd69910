/* SPDX-License-Identifier: MIT */
#include "queue/delivery/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/received.h"
#include "os/clock.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/disposition.h"
#include "queue/queue_state.h"

/* A route is looked up again after so long, or when the DNS says. */
#define ROUTE_MS 30000

int
smtpd__attempt_init(struct smtpd_attempt_state *a, struct smtpd_queue *q)
{
	a->queue = q;
	a->note = NULL;
	a->domain[0] = '\0';
	memset(&a->route, 0, sizeof(a->route));
	a->agent = smtpd__agent_create(&q->agent);
	return a->agent != NULL ? 0 : -1;
}

void
smtpd__attempt_finish(struct smtpd_attempt_state *a)
{
	if (a->domain[0] != '\0')
		smtpd__route_finish(&a->route);
	if (a->agent != NULL)
		smtpd__agent_destroy(a->agent);
	a->agent = NULL;
}

/* The recipients of JOB that are not finished, an array of *COUNT; NULL without
 * memory. */
static struct smtpd_rcpt_progress *
gather(const struct smtpd_delivery_job *job, size_t *count)
{
	struct smtpd_rcpt_progress *r = calloc(job->count, sizeof(*r));

	*count = 0;
	for (uint32_t i = job->first; r != NULL && i < job->first + job->count;
	    i++)
		if (!smtpd__queued_message_is_finished(job->message, job, i))
			r[(*count)++].rcpt = i;
	return r;
}

/* The same result for all. */
static void
give_all(struct smtpd_disposition *s, const struct smtpd_result *why)
{
	for (size_t i = 0; i < s->nrcpts; i++) {
		s->rcpts[i].result = *why;
		s->rcpts[i].finished = why->outcome == SMTPD_OUTCOME_PERMANENT;
	}
}

static void
begin_history(const struct smtpd_delivery_job *job, struct smtpd_text *history)
{
	char date[SMTPD_DATE_MAX];

	smtpd__trace_date((time_t)(smtpd__clock_wall_ms() / 1000), date);
	smtpd__text_format(
	    history, "%s: attempt %u\n", date, job->attempts + 1u);
}

/* Look up where D leads, unless that is known from a moment ago.  NULL without
 * memory. */
static const struct smtpd_route *
find_route(struct smtpd_attempt_state *a, const char *domain,
    struct smtpd_text *history)
{
	uint64_t now = smtpd__clock_ms();
	uint64_t ttl;

	if (strcmp(domain, a->domain) == 0 && now < a->route_until)
		return &a->route;
	if (a->domain[0] != '\0')
		smtpd__route_finish(&a->route);
	a->domain[0] = '\0';
	if (smtpd__route_find(a->queue->router, domain, a->queue->cancel,
		&a->route, history) == -1) {
		smtpd__route_finish(&a->route);
		return NULL;
	}
	ttl = a->route.verdict == SMTPD_RESOLVE_FOUND
	    ? (uint64_t)a->route.targets->ttl_s * 1000
	    : 0;
	a->route_until = now + (ttl < ROUTE_MS ? ttl : ROUTE_MS);
	snprintf(a->domain, sizeof(a->domain), "%s", domain);
	return &a->route;
}

/* Whether the attempt was broken off: then it does not count. */
static void
see_whether_stopped(struct smtpd_queue *q, struct smtpd_disposition *s)
{
	s->broken_off = smtpd_cancel_is_triggered(q->cancel);
	s->tried = !s->broken_off;
}

/* The look-up did not lead anywhere.  Trouble with the DNS is that of the
 * domain alone, whatever site it belonged to. */
static void
settle_unrouted(struct smtpd_attempt_state *a, const struct smtpd_route *route,
    struct smtpd_disposition *s, struct smtpd_site **site)
{
	struct smtpd_queue *q = a->queue;
	uint32_t now = smtpd__spool_now(q->spool);

	give_all(s, &route->why);
	smtpd__disposition_log(q, s);
	see_whether_stopped(q, s);
	pthread_mutex_lock(&q->lock);
	if (s->tried && route->verdict == SMTPD_RESOLVE_LATER &&
	    smtpd__destination_bind(
		q->schedule, s->job->destination, NULL, now, site))
		s->not_before = smtpd__site_feedback_report(
		    q->schedule, *site, SMTPD_SITE_DOWN, &route->why, now);
	pthread_mutex_unlock(&q->lock);
	smtpd__disposition(q, s);
}

/* Go over to the site of ROUTE.  Return false when it has no room. */
static bool
enter_site(struct smtpd_queue *q, const struct smtpd_route *route,
    struct smtpd_delivery_job *job, struct smtpd_site **site)
{
	uint32_t now = smtpd__spool_now(q->spool);
	bool bound;

	pthread_mutex_lock(&q->lock);
	bound = smtpd__destination_bind(
	    q->schedule, job->destination, route->site, now, site);
	pthread_mutex_unlock(&q->lock);
	return bound;
}

/* Leave JOB to somebody who has a connection of *SITE and waits for a message:
 * a new one would be needed here.  Return whether there is such a one. */
static bool
hand_over(struct smtpd_queue *q, struct smtpd_delivery_job *job,
    struct smtpd_site **site)
{
	bool done;

	pthread_mutex_lock(&q->lock);
	done = smtpd__workers_hand_over(q, *site, job);
	if (done) {
		smtpd__schedule_leave(
		    q->schedule, *site, smtpd__spool_now(q->spool));
		*site = NULL;
	}
	pthread_mutex_unlock(&q->lock);
	return done;
}

static void
deliver(struct smtpd_attempt_state *a, const struct smtpd_route *route,
    struct smtpd_disposition *s, struct smtpd_site *site,
    struct smtpd_text *history)
{
	struct smtpd_queue *q = a->queue;
	struct smtpd_delivery_job *job = s->job;
	uint32_t now = smtpd__spool_now(q->spool);
	struct smtpd_delivery_request request = {
		.loaded = s->loaded,
		.route = route,
		.flags = smtpd__spool_flags(q->spool, job->message),
		.plain_allowed =
		    now - job->message->arrived >= q->settings.retry_min_s,
		.rcpts = s->rcpts,
		.nrcpts = s->nrcpts,
		.history = history,
	};
	struct smtpd_delivery_result end;

	atomic_fetch_add(&q->counts.attempts, 1);
	smtpd__agent_deliver(a->agent, &request, &end);
	now = smtpd__spool_now(q->spool);
	s->dsn = end.dsn;
	s->in_doubt = end.in_doubt;
	see_whether_stopped(q, s);
	pthread_mutex_lock(&q->lock);
	if (s->tried)
		s->not_before = smtpd__site_feedback_report(
		    q->schedule, site, end.verdict, &end.why, now);
	if (end.verdict != SMTPD_SITE_DOWN)
		s->not_before = 0;
	pthread_mutex_unlock(&q->lock);
}

/* All but reading the message. */
static void
try_message(struct smtpd_attempt_state *a, struct smtpd_disposition *s,
    struct smtpd_site **site)
{
	const struct smtpd_site *before = *site;
	const struct smtpd_route *route;
	struct smtpd_text history;

	smtpd__text_init(&history, a->history, sizeof(a->history));
	begin_history(s->job, &history);
	route = find_route(
	    a, smtpd__destination_name(s->job->destination), &history);
	s->history = a->history;
	if (route == NULL) {
		smtpd__dispatch_postpone(a->queue, s->job);
		return;
	}
	if (route->verdict != SMTPD_RESOLVE_FOUND) {
		s->history_len = history.len;
		settle_unrouted(a, route, s, site);
		return;
	}
	if (!enter_site(a->queue, route, s->job, site)) {
		smtpd__dispatch_put_back(a->queue, s->job);
		return;
	}
	if ((*site != before || !smtpd__agent_is_open(a->agent)) &&
	    hand_over(a->queue, s->job, site))
		return;
	deliver(a, route, s, *site, &history);
	s->history_len = history.len;
	smtpd__disposition(a->queue, s);
}

/* Read the message of JOB, all of it: what is damaged is not sent. */
static int
load(struct smtpd_queue *q, const struct smtpd_delivery_job *job,
    struct smtpd_loaded_message *loaded)
{
	int error;

	if (smtpd__spool_load(q->spool, job->message, loaded) == -1)
		return -1;
	if (smtpd__loaded_message_check(loaded) == 0)
		return 0;
	error = errno;
	smtpd__loaded_message_finish(loaded);
	errno = error;
	return -1;
}

/* The message of JOB could not be read, as errno says. */
static void
fail_to_load(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	int error = errno;

	smtpd__queue_log(
	    q, SMTPD_LOG_ERROR, "cannot read a message: %s", strerror(error));
	if (error == EBADMSG || error == ENOENT)
		smtpd__dispatch_quarantine(q, job, strerror(error));
	else
		smtpd__dispatch_postpone(q, job);
}

void
smtpd__attempt(struct smtpd_attempt_state *a, struct smtpd_delivery_job *job,
    struct smtpd_site **site)
{
	struct smtpd_queue *q = a->queue;
	struct smtpd_loaded_message loaded;
	struct smtpd_disposition s = {
		.job = job, .loaded = &loaded, .note = &a->note
	};

	if (load(q, job, &loaded) == -1) {
		fail_to_load(q, job);
		return;
	}
	s.rcpts = gather(job, &s.nrcpts);
	if (s.rcpts == NULL)
		smtpd__dispatch_postpone(q, job);
	else
		try_message(a, &s, site);
	free(s.rcpts);
	smtpd__loaded_message_finish(&loaded);
}

void
smtpd__attempt_sync_before_idle(struct smtpd_attempt_state *a)
{
	smtpd__disposition_sync(a->queue, &a->note);
}

/* What came of the recipients in the last attempt, if that is known, and else
 * why their site is closed. */
static void
recall(struct smtpd_queue *q, struct smtpd_disposition *s)
{
	struct smtpd_rcpt_progress *last = NULL;
	struct smtpd_site_info facts;
	struct smtpd_result why = { .outcome = SMTPD_OUTCOME_TEMPORARY,
		.status = "4.4.7",
		.text = "it could not be tried in time" };
	size_t count = 0;

	pthread_mutex_lock(&q->lock);
	smtpd__destination_site_info(s->job->destination, &facts);
	if (facts.why != NULL)
		why = *facts.why;
	pthread_mutex_unlock(&q->lock);
	why.outcome = SMTPD_OUTCOME_TEMPORARY;
	give_all(s, &why);
	if (smtpd__spool_results(q->spool, s->job, &last, &count) == -1)
		return;
	for (size_t i = 0; i < s->nrcpts; i++)
		for (size_t k = 0; k < count; k++)
			if (last[k].rcpt == s->rcpts[i].rcpt &&
			    !last[k].finished)
				s->rcpts[i] = last[k];
	free(last);
}

void
smtpd__attempt_overdue(struct smtpd_queue *q, struct smtpd_delivery_job *job)
{
	struct smtpd_loaded_message loaded;
	struct smtpd_disposition s = { .job = job, .loaded = &loaded };

	if (load(q, job, &loaded) == -1) {
		fail_to_load(q, job);
		return;
	}
	s.rcpts = gather(job, &s.nrcpts);
	if (s.rcpts == NULL) {
		smtpd__dispatch_postpone(q, job);
	} else {
		recall(q, &s);
		smtpd__disposition(q, &s);
	}
	free(s.rcpts);
	smtpd__loaded_message_finish(&loaded);
}
