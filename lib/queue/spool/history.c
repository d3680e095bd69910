/* SPDX-License-Identifier: MIT */
#include "queue/spool/history.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/spool/core.h"

/* How many histories of a job are read: more than a message of five days
 * has. */
#define HISTORIES_MAX 4096

int
smtpd__spool_history_record(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_record_ref ref, struct smtpd_spool_history_record *out)
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
		struct smtpd_spool_history_record p;
		struct smtpd_record_ref *grown;

		if (smtpd__spool_history_record(s, id, job, ref, &p) == -1)
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
		struct smtpd_spool_history_record p;

		if (smtpd__spool_history_record(s, id, number, refs[i], &p) ==
		    -1)
			continue;
		if (p.history_len > 0)
			status = write(user, p.history, p.history_len);
		free(p.memory);
	}
	free(refs);
	return status;
}

int
smtpd__spool_history_results(struct smtpd_spool *s,
    const struct smtpd_delivery_job *job, struct smtpd_rcpt_progress **results,
    size_t *count)
{
	uint32_t number = (uint32_t)(job - job->message->jobs);
	struct smtpd_record_ref ref, now = last_history(s, job);
	struct smtpd_spool_history_record p;
	struct smtpd_unpack ahead;
	struct smtpd_rcpt_progress r, *list = NULL;
	size_t n = 0;
	int status;

	*results = NULL;
	*count = 0;
	if (now.value == 0)
		return 0;
	/* It may be relocated meanwhile. */
	do {
		ref = now;
		status = smtpd__spool_history_record(
		    s, job->message->id, number, ref, &p);
		now = last_history(s, job);
	} while (status == -1 && ref.value != now.value);
	if (status == -1)
		return -1;
	/* All of them or, when any is damaged, none. */
	ahead = p.results;
	while (smtpd__record_get_result(&ahead, &r))
		n++;
	errno = ahead.failed ? EBADMSG : 0;
	if (!ahead.failed && n > 0)
		list = calloc(n, sizeof(*list));
	for (size_t i = 0; list != NULL && i < n; i++)
		if (smtpd__record_get_result(&p.results, &list[i]))
			list[i].tried_ms = p.head.stamp.wall_ms;
	*count = list != NULL ? n : 0;
	*results = list;
	free(p.memory);
	return list != NULL || errno == 0 ? 0 : -1;
}
