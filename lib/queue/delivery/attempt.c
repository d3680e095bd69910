/* SPDX-License-Identifier: MIT */
#include "queue/delivery/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/result.h"
#include "grammar/date.h"
#include "os/clock.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/disposition.h"
#include "queue/delivery/history.h"
#include "queue/delivery/limits.h"
#include "queue/delivery/local.h"
#include "queue/delivery/opened_job.h"
#include "queue/delivery/report.h"
#include "queue/delivery/route_sts.h"
#include "queue/delivery/throttle.h"
#include "queue/delivery/trouble.h"

/* A route is looked up again after so long, or when the DNS says. */
#define ROUTE_MS 30000

void
smtpd__attempt_finish(struct smtpd_attempt_state *a)
{
	if (a->domain[0] != '\0')
		smtpd__route_finish(&a->route);
	if (a->agent != NULL)
		smtpd__agent_destroy(a->agent);
	a->agent = NULL;
}

/* Some of the recipients of an attempt, which have one route. */
struct leg {
	const struct smtpd_route_entry *entry;
	struct smtpd_rcpt_progress *rcpts;
	size_t nrcpts;
	bool alone; /* they are all of the attempt */
};

/* Look up the route of LEG, in TABLE, unless it is known from a moment ago.
 * NULL without memory. */
static const struct smtpd_found_route *
find_route(struct smtpd_attempt_state *a, struct smtpd_delivery_job *job,
    struct smtpd_route_table *table, const struct leg *leg,
    struct smtpd_text *history)
{
	struct smtpd_delivery *d = a->delivery;
	const char *domain = smtpd__destination_name(job->destination);
	uint64_t now = smtpd__clock_ms();
	uint64_t ttl_ms = 0;
	int status;

	if (strcmp(domain, a->domain) == 0 && now < a->route_until &&
	    a->route.entry == leg->entry && a->route.table == table &&
	    smtpd__route_is_current(d->router, &a->route))
		return &a->route;
	if (a->domain[0] != '\0')
		smtpd__route_finish(&a->route);
	a->domain[0] = '\0';
	smtpd__dispatch_begin_wait(d, a->worker, job);
	status = smtpd__route_find(d->router, table, leg->entry, domain,
	    d->cancel, &a->route, history);
	smtpd__trouble_tell_dnssec(d, &a->route);
	smtpd__dispatch_end_wait(d, a->worker);
	if (status == 0 && a->route.outcome == SMTPD_RESOLVE_FOUND)
		status = smtpd__limits_ask(d->settings.limits,
		    d->settings.limits_user, domain, &a->route, &a->limits);
	if (status == -1) {
		smtpd__route_finish(&a->route);
		return NULL;
	}
	smtpd__trouble_tell_dns(d, &a->route, now);
	if (a->route.outcome == SMTPD_RESOLVE_FOUND)
		ttl_ms = (uint64_t)a->route.ttl_s * 1000;
	a->route_until = now + (ttl_ms < ROUTE_MS ? ttl_ms : ROUTE_MS);
	snprintf(a->domain, sizeof(a->domain), "%s", domain);
	return &a->route;
}

/* The look-up did not find any hosts: log that of each recipient, as no agent
 * does.  Trouble with the DNS is that of the domain alone, or of the route;
 * that no server answers is our own, and new mail is to go out as soon as one
 * does. */
static void
fail_without_route(struct smtpd_delivery *d,
    const struct smtpd_found_route *route, struct smtpd_disposition *s,
    const struct leg *leg, struct smtpd_site **site)
{
	for (size_t i = 0; i < leg->nrcpts; i++) {
		struct smtpd_rcpt_progress *r = &leg->rcpts[i];

		r->result = route->why;
		r->finished = r->result.outcome == SMTPD_OUTCOME_PERMANENT;
		smtpd__history_log_result(
		    &d->logger, s->loaded, r, SMTPD_HISTORY_NO_RELAY);
	}
	s->cancelled = smtpd_cancel_is_triggered(d->cancel);
	s->tried = !s->cancelled;
	if (s->tried && leg->alone && route->outcome == SMTPD_RESOLVE_LATER &&
	    !route->unanswered)
		s->site_resumes_at = smtpd__dispatch_suspend_domain(
		    d, s->job, route->site, &route->why, site);
}

/* What an agent tells of while it delivers. */
struct telling {
	struct smtpd_attempt_state *attempt;
	struct smtpd_disposition *disposition;
	const struct smtpd_route_table *table;
	const struct smtpd_delivery_request *request;
	const struct smtpd_shaping_signs *signs;
	uint32_t connections; /* that the site has counted for it */
};

static void
record_sent(void *user, bool dsn)
{
	struct telling *t = user;

	smtpd__disposition_record_sent(
	    t->attempt->delivery, t->disposition, dsn);
}

/* Begin the next leg of S behind *DONE recipients: those that have the route of
 * the first of these are brought to the front. */
static struct leg
next_leg(const struct smtpd_route_table *table,
    const struct smtpd_disposition *s, size_t *done)
{
	const struct smtpd_outgoing_envelope *e = &s->loaded->envelope;
	struct leg leg = { .rcpts = s->rcpts + *done };
	const size_t left = s->nrcpts - *done;

	for (size_t i = 0; i < left; i++) {
		struct smtpd_rcpt_progress r = leg.rcpts[i];
		const struct smtpd_route_entry *entry =
		    smtpd__route_table_match(
			table, e->sender, e->rcpts[r.rcpt].address);

		if (i == 0)
			leg.entry = entry;
		if (entry != leg.entry)
			continue;
		leg.rcpts[i] = leg.rcpts[leg.nrcpts];
		leg.rcpts[leg.nrcpts++] = r;
	}
	leg.alone = leg.nrcpts == s->nrcpts;
	*done += leg.nrcpts;
	return leg;
}

/* Whether the next job, O, has the destination and route of the present one, so
 * that its message can go ahead. */
static bool
goes_along(const struct telling *t, struct smtpd_opened_job *o)
{
	size_t done = 0;
	struct leg leg;

	if (o->job->destination != t->disposition->job->destination ||
	    o->s.nrcpts == 0)
		return false;
	leg = next_leg(t->table, &o->s, &done);
	return leg.alone && leg.entry == t->request->route->entry;
}

/* Whether the site's limits know all that the attempt used up to now: they are
 * told of more connections and transactions at its end. */
static bool
is_counted(const struct telling *t)
{
	return t->signs->connections <= t->connections && t->signs->mails <= 1;
}

/* Take the next job, and have its message go ahead if it may. */
static const struct smtpd_delivery_request *
prepare_next(void *user)
{
	const struct telling *t = user;
	struct smtpd_attempt_state *a = t->attempt;
	struct smtpd_delivery_job *job;
	struct smtpd_opened_job *o;

	if (!is_counted(t))
		return NULL;
	/* Only one that is not set aside may take it. */
	smtpd__dispatch_end_wait(a->delivery, a->worker);
	job = a->next(a->worker);
	a->ahead = o =
	    job != NULL ? smtpd__opened_job_open(a->delivery, job) : NULL;
	smtpd__dispatch_begin_wait(a->delivery, a->worker, t->disposition->job);
	if (o == NULL || !goes_along(t, o))
		return NULL;
	o->request = *t->request;
	o->request.loaded = &o->loaded;
	o->request.rcpts = o->s.rcpts;
	o->request.nrcpts = o->s.nrcpts;
	/* It may be younger. */
	o->request.plain_allowed = false;
	return &o->request;
}

/* Have the agent, or the program itself, do what REQUEST asks. */
static void
run_request(struct smtpd_attempt_state *a,
    struct smtpd_delivery_request *request, struct smtpd_delivery_result *end)
{
	const struct smtpd_route_entry *e = request->route->entry;

	if (request->route->nhops > 0) {
		smtpd__agent_deliver(a->agent, request, end);
		return;
	}
	*end = (struct smtpd_delivery_result){ .feedback = SMTPD_SITE_FINE };
	if (smtpd__local_deliver(
		&e->targets[0].set, request, &a->delivery->logger) == -1)
		end->feedback = SMTPD_SITE_UNTOLD;
}

/* Deliver to the recipients of LEG over ROUTE within the limits of ENTRY.  What
 * was sent is recorded before another leg, which may report success otherwise,
 * begins. */
static void
deliver_leg(struct smtpd_attempt_state *a,
    const struct smtpd_route_table *table,
    const struct smtpd_found_route *route, const struct smtpd_site_entry *entry,
    struct smtpd_disposition *s, const struct leg *leg,
    struct smtpd_text *history, struct smtpd_delivery_result *end)
{
	struct smtpd_delivery *d = a->delivery;
	const struct smtpd_queued_message *message = s->job->message;
	struct telling telling = { a, s, table, NULL, &end->signs,
		entry->connected ? 0 : 1 };
	struct smtpd_delivery_request request = {
		.loaded = s->loaded,
		.route = route,
		.plain_allowed =
		    smtpd__spool_clock_now(d->spool) - message->arrived >=
		    d->settings.retry_min_s,
		.rcpts = leg->rcpts,
		.nrcpts = leg->nrcpts,
		.history = history,
		.sent = record_sent,
		.next = leg->alone ? prepare_next : NULL,
		.user = &telling,
		.attempt = s->job->attempts + 1u,
		.mails_max = entry->mails_max,
		.rcpts_max = entry->rcpts_max,
	};

	telling.request = &request;
	atomic_fetch_add(&d->counts.attempts, 1);
	smtpd__dispatch_begin_wait(d, a->worker, s->job);
	run_request(a, &request, end);
	smtpd__dispatch_end_wait(d, a->worker);
	s->reports_success = end->dsn;
	s->in_doubt = s->in_doubt || end->in_doubt;
	s->cancelled = smtpd_cancel_is_triggered(d->cancel);
	s->tried = !s->cancelled;
	if (!leg->alone)
		smtpd__disposition_record_sent(d, s, end->dsn);
}

/* How a leg went, besides those before it: what worked for one is fine. */
static void
add_feedback(
    struct smtpd_delivery_result *all, const struct smtpd_delivery_result *end)
{
	uint32_t connections = all->signs.connections + end->signs.connections;

	if (all->feedback != SMTPD_SITE_FINE)
		*all = *end;
	all->signs.connections = connections;
}

/* Whether the hosts say of S, where it was deferred, only that mail comes too
 * fast. */
static bool
is_too_fast(const struct smtpd_disposition *s)
{
	bool any = false;

	for (size_t i = 0; i < s->nrcpts; i++) {
		const struct smtpd_result *r = &s->rcpts[i].result;

		if (r->outcome == SMTPD_OUTCOME_IN_DOUBT)
			return false;
		if (r->outcome != SMTPD_OUTCOME_TEMPORARY)
			continue;
		if (smtpd__throttle_read(r) == SMTPD_THROTTLE_NONE)
			return false;
		any = true;
	}
	return any;
}

/*
 * Tell SITE how the attempt went, which entered it by ENTRY: it has counted one
 * connection then, unless that was open.  If it only has mail wait, since that
 * comes too fast, the message has not failed: it is tried next when the site
 * takes mail again, and not after a time of its own.
 */
static void
report_site(struct smtpd_delivery *d, struct smtpd_disposition *s,
    const struct smtpd_site_entry *entry, struct smtpd_site *site,
    struct smtpd_delivery_result *end)
{
	bool paused;

	if (!entry->connected && end->signs.connections > 0)
		end->signs.connections--;
	s->site_resumes_at = smtpd__dispatch_report_site(d, site, end, &paused);
	s->too_fast = paused && is_too_fast(s);
}

/* What came of the legs of an attempt. */
enum tried {
	TRIED,
	LEFT, /* the job was put back, or handed over */
	OUT_OF_MEMORY,
};

/* Try all recipients of S, over one route after the other: those that have
 * several are at the destination's own site. */
static enum tried
try_legs(struct smtpd_attempt_state *a, struct smtpd_route_table *table,
    struct smtpd_disposition *s, struct smtpd_site **site,
    struct smtpd_text *history)
{
	struct smtpd_delivery *d = a->delivery;
	struct smtpd_delivery_result all = { .feedback = SMTPD_SITE_UNTOLD };
	struct smtpd_site_entry entry = {
		.connected = smtpd__agent_is_open(a->agent),
	};
	bool entered = false;

	for (size_t done = 0; done < s->nrcpts;) {
		struct leg leg = next_leg(table, s, &done);
		const struct smtpd_found_route *route;
		struct smtpd_delivery_result end;

		route = find_route(a, s->job, table, &leg, history);
		if (route == NULL)
			return OUT_OF_MEMORY;
		if (!leg.alone && !entered) {
			entered =
			    smtpd__dispatch_enter_site(d, s->job, &entry, site);
			if (!entered)
				return LEFT;
		}
		if (route->outcome != SMTPD_RESOLVE_FOUND) {
			fail_without_route(d, route, s, &leg, site);
			continue;
		}
		if (!entered) {
			entry.name = route->site;
			entry.limits = a->limits;
			entered =
			    smtpd__dispatch_enter_site(d, s->job, &entry, site);
		}
		if (!entered)
			return LEFT;
		deliver_leg(a, table, route, &entry, s, &leg, history, &end);
		add_feedback(&all, &end);
		if (end.feedback != SMTPD_SITE_FINE)
			smtpd__route_sts_doubt(d->sts,
			    smtpd__destination_name(s->job->destination),
			    route);
	}
	a->throttled = all.signs.throttle == SMTPD_THROTTLE_SURE;
	if (entered && s->tried)
		report_site(d, s, &entry, *site, &all);
	return TRIED;
}

static void
try_message(struct smtpd_attempt_state *a, struct smtpd_disposition *s,
    struct smtpd_site **site)
{
	struct smtpd_delivery *d = a->delivery;
	struct smtpd_delivery_job *job = s->job;
	struct smtpd_route_table *table = smtpd__route_table(d->router);
	struct smtpd_text history;
	char time[SMTPD_DATE_STAMP_MAX];
	enum tried tried;

	smtpd__text_init(&history, a->history, sizeof(a->history));
	smtpd__date_write_stamp((time_t)(smtpd__clock_wall_ms() / 1000), time);
	smtpd__text_format(
	    &history, "%s: attempt %u\n", time, job->attempts + 1u);
	tried = try_legs(a, table, s, site, &history);
	smtpd__route_table_unref(table);
	if (tried == LEFT)
		return;
	if (tried == OUT_OF_MEMORY) {
		smtpd__dispatch_return(d, job, SMTPD_RETURN_POSTPONED);
		return;
	}
	s->history = a->history;
	s->history_len = history.len;
	smtpd__disposition_finish(d, s);
}

void
smtpd__attempt_run(struct smtpd_attempt_state *a,
    struct smtpd_delivery_job *job, struct smtpd_site **site)
{
	struct smtpd_opened_job *o = a->ahead;

	a->ahead = NULL;
	a->throttled = false;
	if (o == NULL)
		o = smtpd__opened_job_open(a->delivery, job);
	if (o == NULL)
		return;
	try_message(a, &o->s, site);
	smtpd__agent_forget(a->agent, &o->loaded);
	smtpd__opened_job_close(o);
}

struct smtpd_delivery_job *
smtpd__attempt_next(const struct smtpd_attempt_state *a)
{
	return a->ahead != NULL ? a->ahead->job : NULL;
}

bool
smtpd__attempt_may_go_on(const struct smtpd_attempt_state *a)
{
	return !a->throttled && smtpd__agent_is_open(a->agent);
}

void
smtpd__attempt_leave_next(struct smtpd_attempt_state *a)
{
	struct smtpd_opened_job *o = a->ahead;

	if (o == NULL)
		return;
	a->ahead = NULL;
	smtpd__dispatch_return(a->delivery, o->job, SMTPD_RETURN_UNTRIED);
	smtpd__agent_forget(a->agent, &o->loaded);
	smtpd__opened_job_close(o);
}

/* The recipients get the results of the last attempt, if they are known, and
 * else the reason why their site is suspended. */
void
smtpd__attempt_overdue(struct smtpd_delivery *d, struct smtpd_delivery_job *job)
{
	struct smtpd_opened_job *o = smtpd__opened_job_open(d, job);
	struct smtpd_disposition *s;
	struct smtpd_site_info info;
	struct smtpd_result why = { .status = "4.4.7",
		.text = "no attempt could be made in time" };
	struct smtpd_rcpt_progress *last = NULL;
	size_t count = 0;

	if (o == NULL)
		return;
	s = &o->s;
	/* The thread that is here also wins space back. */
	s->no_wait = true;
	pthread_mutex_lock(&d->lock);
	smtpd__destination_site_info(job->destination, &info);
	if (info.why != NULL)
		why = *info.why;
	pthread_mutex_unlock(&d->lock);
	why.outcome = SMTPD_OUTCOME_TEMPORARY;
	if (smtpd__spool_history_results(d->spool, job, &last, &count) == -1 ||
	    smtpd__result_is_held(&why))
		count = 0;
	for (size_t i = 0; i < s->nrcpts; i++) {
		s->rcpts[i].result = why;
		for (size_t k = 0; k < count; k++)
			if (last[k].rcpt == s->rcpts[i].rcpt &&
			    !last[k].finished)
				s->rcpts[i] = last[k];
	}
	free(last);
	smtpd__disposition_finish(d, s);
	smtpd__opened_job_close(o);
}
