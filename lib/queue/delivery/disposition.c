/* SPDX-License-Identifier: MIT */
#include "queue/delivery/disposition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "os/clock.h"
#include "queue/delivery/dispatch.h"
#include "queue/delivery/result_line.h"
#include "queue/queue_state.h"

/* One record: some of the recipients, and what the sender is told of them. */
struct record {
	struct smtpd_progress progress;
	enum smtpd_bounce_kind kind;
	struct smtpd_rcpt_progress *about; /* that a report is about */
	size_t nabout;

	/* What was done about the report by an earlier try. */
	bool asked; /* the limit was, and said yes unless: */
	bool limited;
	bool dead_lettered;
};

static bool
is_failed(const struct smtpd_rcpt_progress *r)
{
	return r->result.outcome == SMTPD_OUTCOME_PERMANENT;
}

void
smtpd__disposition_log(
    const struct smtpd_queue *q, const struct smtpd_disposition *s)
{
	char line[SMTPD_RESULT_LINE_MAX];
	struct smtpd_text text;

	for (size_t i = 0; i < s->nrcpts; i++) {
		smtpd__text_init(&text, line, sizeof(line));
		smtpd__result_line_write(
		    &text, s->loaded, &s->rcpts[i], SMTPD_RESULT_LINE_NO_RELAY);
		smtpd__queue_log(q, SMTPD_LOG_INFO, "%s", line);
	}
}

/* Its time is over: what was for now is for ever. */
static void
expire(const struct smtpd_queue *q, struct smtpd_disposition *s)
{
	char id[SMTPD_ID_SIZE];
	bool any = false;

	for (size_t i = 0; i < s->nrcpts; i++) {
		struct smtpd_result *r = &s->rcpts[i].result;

		if (s->rcpts[i].finished)
			continue;
		any = true;
		s->rcpts[i].finished = true;
		r->outcome = SMTPD_OUTCOME_PERMANENT;
		if (r->code == 0)
			memcpy(r->status, "4.4.7", sizeof("4.4.7"));
	}
	if (!any)
		return;
	smtpd__id_write(s->loaded->id, id);
	smtpd__queue_log(q, SMTPD_LOG_INFO, "id=%s domain=%s status=expired",
	    id, smtpd__destination_name(s->job->destination));
}

static void
swap(struct smtpd_rcpt_progress *a, struct smtpd_rcpt_progress *b)
{
	struct smtpd_rcpt_progress keep = *a;

	*a = *b;
	*b = keep;
}

/* Bring those that WANTED picks to the front of COUNT.  Return how many. */
static size_t
part(struct smtpd_rcpt_progress *rcpts, size_t count,
    bool (*wanted)(const struct smtpd_rcpt_progress *))
{
	size_t front = 0;

	for (size_t i = 0; i < count; i++) {
		if (!wanted(&rcpts[i]))
			continue;
		if (i != front)
			swap(&rcpts[i], &rcpts[front]);
		front++;
	}
	return front;
}

static bool
is_not_failed(const struct smtpd_rcpt_progress *r)
{
	return !is_failed(r);
}

static bool
is_sent(const struct smtpd_rcpt_progress *r)
{
	return r->result.outcome == SMTPD_OUTCOME_SENT;
}

static void
fill_bounce(const struct smtpd_queue *q, const struct smtpd_disposition *s,
    const struct record *r, struct smtpd_bounce *b)
{
	uint32_t end = s->retry.expiry;

	*b = (struct smtpd_bounce){
		.hostname = q->hostname,
		.loaded = s->loaded,
		.flags = smtpd__spool_flags(q->spool, s->job->message),
		.kind = r->kind,
		.rcpts = r->about,
		.nrcpts = r->nabout,
		.now_ms = smtpd__clock_wall_ms(),
		.until_ms = end == SMTPD_TIME_NONE
		    ? 0
		    : smtpd__spool_wall_ms(q->spool, end),
	};
}

/* Keep what nobody can be told of, once; see smtpd__spool_quarantine_dead_letter(). */
static int
bury(struct smtpd_queue *q, struct record *r, const struct smtpd_bounce *b,
    const char *reason)
{
	char why[1024];

	if (r->dead_lettered)
		return 0;
	snprintf(why, sizeof(why), "%s: <%s>: %s", reason,
	    b->loaded->rcpts[b->rcpts[0].rcpt].address,
	    b->rcpts[0].result.text);
	if (smtpd__spool_quarantine_dead_letter(q->spool, b->loaded, why) == -1)
		return -1;
	r->dead_lettered = true;
	atomic_fetch_add(&q->counts.dead, 1);
	smtpd__queue_log(q, SMTPD_LOG_WARNING, "dead/: %s", why);
	return 0;
}

/* Whether the sender had too many reports.  One that is tried again, since the
 * disk was in trouble, counts once. */
static bool
is_limited(
    struct smtpd_queue *q, const struct smtpd_disposition *s, struct record *r)
{
	if (!r->asked)
		r->limited = !smtpd__bounce_limit_allows(
		    q->limit, s->loaded->sender, smtpd__clock_ms());
	r->asked = true;
	return r->limited;
}

/*
 * What is to be told of R into *MAIL, or nothing, then its content is NULL.
 * Mail that failed is dead_lettered when its sender cannot be told of it.  Return 0,
 * or -1 with errno.
 */
static int
prepare_report(struct smtpd_queue *q, const struct smtpd_disposition *s,
    struct record *r, struct smtpd_spool_mail *mail, void **hold)
{
	struct smtpd_bounce b;
	bool failed = r->kind == SMTPD_BOUNCE_FAILED;

	mail->content = NULL;
	if (r->nabout == 0)
		return 0;
	fill_bounce(q, s, r, &b);
	if (failed && s->loaded->sender[0] == '\0')
		return bury(q, r, &b, "a report could not be delivered");
	if (!smtpd__bounce_is_wanted(&b))
		return 0;
	if (is_limited(q, s, r))
		return failed ? bury(q, r, &b, "too many reports to one sender")
			      : 0;
	return smtpd__bounce_write(&b, q->spool, mail, hold);
}

/* Record R once.  Return 0, or -1 with errno. */
static int
try_record(
    struct smtpd_queue *q, const struct smtpd_disposition *s, struct record *r)
{
	struct smtpd_spool_mail mail;
	struct smtpd_queued_message *report = NULL;
	void *hold = NULL;
	int status = prepare_report(q, s, r, &mail, &hold);

	if (status == 0) {
		r->progress.report = mail.content != NULL ? &mail : NULL;
		status = smtpd__spool_progress(q->spool, &r->progress, &report);
	}
	free(hold);
	if (report != NULL) {
		atomic_fetch_add(&q->counts.reports, 1);
		smtpd__dispatch_schedule(q, report);
	}
	return status;
}

/* Wait a second.  Return false when the queue is stopping: there is time for one
 * more try. */
static bool
wait_for_disk(struct smtpd_queue *q)
{
	struct timespec second = { .tv_sec = 1 };
	bool stopping;

	nanosleep(&second, NULL);
	pthread_mutex_lock(&q->lock);
	stopping = q->stopping;
	pthread_mutex_unlock(&q->lock);
	return !stopping;
}

/* Log errno, once. */
static void
tell_of_trouble(const struct smtpd_queue *q, bool *told)
{
	if (!*told)
		smtpd__queue_log(q, SMTPD_LOG_ERROR,
		    "cannot record what became of a message: %s",
		    strerror(errno));
	*told = true;
}

/*
 * Record R.  What was sent must not be sent again because the disk is in
 * trouble, so this waits for it.  Return 0, or -1 when the queue is stopping.
 */
static int
record(
    struct smtpd_queue *q, const struct smtpd_disposition *s, struct record *r)
{
	bool told = false, again = true;

	while (try_record(q, s, r) == -1) {
		tell_of_trouble(q, &told);
		if (!again)
			return -1;
		again = wait_for_disk(q);
	}
	return 0;
}

void
smtpd__disposition_sync(
    struct smtpd_queue *q, struct smtpd_pending_commit **note)
{
	bool told = false, again = true;

	while (*note != NULL && smtpd__pending_commit_wait(*note) == -1) {
		tell_of_trouble(q, &told);
		if (!again) {
			smtpd__pending_commit_abandon(*note);
			break;
		}
		again = wait_for_disk(q);
	}
	*note = NULL;
}

/* Whether all that is left of the job was sent, and nobody is to be told. */
static bool
is_simply_sent(const struct smtpd_queue *q, const struct smtpd_disposition *s,
    const struct record records[2])
{
	struct smtpd_bounce b;

	for (size_t i = 0; i < s->nrcpts; i++)
		if (!is_sent(&s->rcpts[i]))
			return false;
	if (records[0].nabout == 0)
		return true;
	fill_bounce(q, s, &records[0], &b);
	return !smtpd__bounce_is_wanted(&b);
}

/* Record what was simply sent, once the one before is on the disk.  Return
 * whether that could be done. */
static bool
note(struct smtpd_queue *q, const struct smtpd_disposition *s,
    const struct record *r)
{
	struct smtpd_pending_commit *next;

	if (smtpd__spool_progress_begin(q->spool, &r->progress, &next) == -1)
		return false;
	smtpd__disposition_sync(q, s->note);
	*s->note = next;
	return true;
}

/* Decide when what is left is tried again, and expire it if its end came. */
static void
plan(struct smtpd_queue *q, struct smtpd_disposition *s,
    struct smtpd_progress *p)
{
	struct smtpd_delivery_job *job = s->job;
	struct smtpd_retry_facts facts = {
		.site_resumes_at = s->not_before,
		.tried = s->tried,
		.cancelled = s->broken_off,
		.in_doubt = s->in_doubt,
	};

	pthread_mutex_lock(&q->lock);
	s->retry = smtpd__schedule_retry(
	    q->schedule, job, &facts, smtpd__spool_now(q->spool));
	job->in_doubt = s->in_doubt;
	pthread_mutex_unlock(&q->lock);
	if (s->retry.expired)
		expire(q, s);
	p->job = job;
	p->attempts = s->retry.attempts;
	p->due = s->retry.due;
	p->in_doubt = s->in_doubt;
	p->delay_notice_sent =
	    job->delay_notice_sent || s->retry.wants_delay_notice;
}

static void
count(struct smtpd_queue *q, const struct smtpd_disposition *s)
{
	for (size_t i = 0; i < s->nrcpts; i++) {
		if (is_failed(&s->rcpts[i]))
			atomic_fetch_add(&q->counts.failed, 1);
		else if (is_sent(&s->rcpts[i]))
			atomic_fetch_add(&q->counts.sent, 1);
	}
}

/*
 * Two records at most: first of those that did not fail, then of those that
 * did.  A kill between them has the second kind tried once more, the first
 * not.
 */
static void
divide(struct smtpd_disposition *s, const struct smtpd_progress *plan,
    struct record records[2])
{
	size_t others = part(s->rcpts, s->nrcpts, is_not_failed);
	size_t sent = part(s->rcpts, others, is_sent);

	records[0] = (struct record){ .progress = *plan };
	records[0].progress.rcpts = s->rcpts;
	records[0].progress.nrcpts = others;
	if (sent > 0 && !s->dsn) {
		records[0].kind = SMTPD_BOUNCE_RELAYED;
		records[0].about = s->rcpts;
		records[0].nabout = sent;
	}
	if (records[0].nabout > 0) {
		/* One report a record: the notice comes with the next. */
		records[0].progress.delay_notice_sent =
		    s->job->delay_notice_sent;
	} else if (plan->delay_notice_sent && !s->job->delay_notice_sent) {
		records[0].kind = SMTPD_BOUNCE_DELAYED;
		records[0].about = s->rcpts + sent;
		records[0].nabout = others - sent;
	}
	records[1] = (struct record){ .progress = *plan,
		.kind = SMTPD_BOUNCE_FAILED,
		.about = s->rcpts + others,
		.nabout = s->nrcpts - others };
	records[1].progress.rcpts = s->rcpts + others;
	records[1].progress.nrcpts = s->nrcpts - others;
	records[1].progress.delay_notice_sent =
	    records[0].progress.delay_notice_sent;
}

static void
record_all(struct smtpd_queue *q, const struct smtpd_disposition *s,
    struct record records[2])
{
	bool first = true;

	for (size_t i = 0; i < 2; i++) {
		if (records[i].progress.nrcpts == 0)
			continue;
		if (!first)
			records[i].progress.history_len = 0;
		first = false;
		if (record(q, s, &records[i]) == -1)
			return;
	}
}

void
smtpd__disposition(struct smtpd_queue *q, struct smtpd_disposition *s)
{
	struct smtpd_progress p = { .history = s->history,
		.history_len = s->history_len };
	struct record records[2];

	plan(q, s, &p);
	divide(s, &p, records);
	if (s->note == NULL || !is_simply_sent(q, s, records) ||
	    !note(q, s, &records[0]))
		record_all(q, s, records);
	count(q, s);
	smtpd__dispatch_return(q, s->job);
}
