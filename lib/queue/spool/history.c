/* SPDX-License-Identifier: MIT */
#include "queue/spool/history.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/core.h"

/* How many histories of a job are read: more than a message of five days
 * has. */
#define HISTORIES_MAX 4096

/* A progress record as it was read back; memory is freed by the caller. */
struct progress_record {
	void *memory;
	uint64_t sequence;
	struct smtpd_record_progress head;
	struct smtpd_unpack results;
	const char *history;
	size_t history_len;
};

/* Read the progress record at REF, which is to be of the job numbered JOB of
 * message ID.  Return 0, or -1 with errno and no memory. */
static int
read_progress(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_record_ref ref, struct progress_record *out)
{
	struct smtpd_record_progress *p = &out->head;
	struct smtpd_journal_record record;
	const void *body;

	out->memory = smtpd__journal_read(s->journal, ref, &record, &body);
	if (out->memory == NULL)
		return -1;
	if (record.type == SMTPD_RECORD_PROGRESS &&
	    smtpd__record_get_progress(record.head, record.head_len, p) &&
	    p->id == id && p->job == job && p->results_len <= record.body_len) {
		out->sequence = record.sequence;
		out->results =
		    (struct smtpd_unpack){ .at = body, .left = p->results_len };
		out->history = (const char *)body + p->results_len;
		out->history_len = record.body_len - p->results_len;
		return 0;
	}
	free(out->memory);
	out->memory = NULL;
	errno = EBADMSG;
	return -1;
}

/* Find the refs of the histories that end at REF, the last one first.  What is
 * missing or damaged ends the list, and what is not older than the one after
 * it.  -1 without memory. */
static int
list_histories(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_record_ref ref, struct smtpd_record_ref **list, size_t *count)
{
	struct smtpd_record_ref *refs = NULL;
	uint64_t sequence = UINT64_MAX;
	size_t n = 0;

	while (ref.value != 0 && n < HISTORIES_MAX) {
		struct progress_record p;
		struct smtpd_record_ref *grown;

		if (read_progress(s, id, job, ref, &p) == -1)
			break;
		free(p.memory);
		if (p.sequence >= sequence)
			break;
		grown = realloc(refs, (n + 1) * sizeof(*refs));
		if (grown == NULL) {
			free(refs);
			return -1;
		}
		refs = grown;
		refs[n++] = ref;
		sequence = p.sequence;
		ref = p.head.previous;
	}
	*list = refs;
	*count = n;
	return 0;
}

/* The last progress record of JOB; 0: there is none. */
static struct smtpd_record_ref
last_history(struct smtpd_spool *s, const struct smtpd_delivery_job *job)
{
	struct smtpd_record_ref ref;

	pthread_mutex_lock(&s->mutex);
	ref = job->history;
	pthread_mutex_unlock(&s->mutex);
	return ref;
}

int
smtpd__spool_history(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, smtpd_write_fn *write, void *user)
{
	uint64_t id = job->message->id;
	uint32_t number = (uint32_t)(job - job->message->jobs);
	struct smtpd_record_ref *refs;
	size_t count;
	int status = 0;

	if (list_histories(
		s, id, number, last_history(s, job), &refs, &count) == -1)
		return -1;
	for (size_t i = count; i-- > 0 && status == 0;) {
		struct progress_record p;

		if (read_progress(s, id, number, refs[i], &p) == -1)
			continue;
		if (p.history_len > 0)
			status = write(user, p.history, p.history_len);
		free(p.memory);
	}
	free(refs);
	return status;
}

/* Results that are gathered from some records. */
struct gathering {
	const struct smtpd_delivery_job *job;
	struct smtpd_rcpt_progress *list;
	size_t count;
	bool *seen; /* for each recipient of the job */
};

/* Add what the results of P say of recipients that no later one speaks of: all
 * of it or, when any is damaged, nothing.  Return 0, or -1 with errno. */
static int
gather_results(struct gathering *g, const struct progress_record *p)
{
	struct smtpd_unpack ahead = p->results, at = p->results;
	struct smtpd_rcpt_progress r, *grown;
	size_t n = 0;

	while (smtpd__record_get_result(&ahead, &r))
		n++;
	if (ahead.failed) {
		errno = EBADMSG;
		return -1;
	}
	if (n == 0)
		return 0;
	grown = realloc(g->list, (g->count + n) * sizeof(*grown));
	if (grown == NULL)
		return -1;
	g->list = grown;
	while (smtpd__record_get_result(&at, &r)) {
		uint32_t i = r.rcpt - g->job->first;

		if (i < g->job->count && g->seen[i])
			continue;
		if (i < g->job->count)
			g->seen[i] = true;
		r.tried_ms = p->head.stamp.wall_ms;
		g->list[g->count++] = r;
	}
	return 0;
}

/* Read the last progress record of JOB, wherever it is moved to meanwhile. */
static int
read_last(struct smtpd_spool *s, const struct smtpd_delivery_job *job,
    struct progress_record *out)
{
	uint32_t number = (uint32_t)(job - job->message->jobs);
	struct smtpd_record_ref ref, now = last_history(s, job);
	int status;

	do {
		ref = now;
		status = read_progress(s, job->message->id, number, ref, out);
		now = last_history(s, job);
	} while (status == -1 && ref.value != now.value);
	return status;
}

int
smtpd__spool_history_results(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, struct smtpd_rcpt_progress **results,
    size_t *count)
{
	uint32_t number = (uint32_t)(job - job->message->jobs);
	struct gathering g = { .job = job };
	struct progress_record p;
	uint64_t sequence = UINT64_MAX;
	uint16_t attempts;
	int status = -1;

	*results = NULL;
	*count = 0;
	if (last_history(s, job).value == 0)
		return 0;
	if (read_last(s, job, &p) == -1)
		return -1;
	attempts = p.head.attempts;
	g.seen = calloc(job->count, sizeof(*g.seen));
	if (g.seen != NULL)
		status = gather_results(&g, &p);
	/* An attempt may have taken more than one. */
	while (status == 0 && p.sequence < sequence &&
	    p.head.previous.value != 0) {
		struct smtpd_record_ref previous = p.head.previous;

		sequence = p.sequence;
		free(p.memory);
		p.memory = NULL;
		if (read_progress(s, job->message->id, number, previous, &p) ==
			-1 ||
		    p.head.attempts != attempts)
			break;
		status = gather_results(&g, &p);
	}
	free(p.memory);
	free(g.seen);
	if (status == -1) {
		free(g.list);
		return -1;
	}
	*count = g.count;
	*results = g.list;
	return 0;
}
