/* SPDX-License-Identifier: MIT */
#include "queue/spool/relocate.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "queue/spool/append_order.h"
#include "queue/spool/history.h"
#include "queue/spool/load.h"
#include "queue/spool/messages.h"

/* How much is kept of the histories of all jobs of a message, of those of one
 * job, and how much of that from their beginning. */
#define HISTORIES_MAX 262144
#define HISTORY_MAX   8192
#define HISTORY_HEAD  2048

/* Text whose middle is left out when it is too long: a head, and a ring for
 * the tail. */
struct digest {
	char *data; /* HEAD + TAIL bytes */
	size_t head;
	size_t tail;
	uint64_t len; /* of the whole text */
};

static int
take_text(void *user, const void *data, size_t len)
{
	struct digest *d = user;
	const char *at = data;

	for (; len > 0 && d->len < d->head; len--)
		d->data[d->len++] = *at++;
	for (; len > 0; len--, d->len++)
		d->data[d->head + (d->len - d->head) % d->tail] = *at++;
	return 0;
}

/* Append all histories of JOB, within its share. */
static int
put_history(struct smtpd_spool *s, const struct smtpd_delivery_job *job,
    struct smtpd_pack *p)
{
	static const char gap[] = "\n[...]\n";
	size_t share = HISTORIES_MAX / job->message->njobs;
	struct digest d = { 0 };
	uint64_t rest;
	size_t start;
	int status;

	if (share > HISTORY_MAX)
		share = HISTORY_MAX;
	d.head = share / (HISTORY_MAX / HISTORY_HEAD);
	d.tail = share - d.head;
	d.data = malloc(share);
	if (d.data == NULL)
		return -1;
	status = smtpd__spool_history(s, job, take_text, &d);
	rest = d.len > d.head ? d.len - d.head : 0;
	smtpd__pack_bytes(p, d.data, (size_t)(d.len - rest));
	if (rest <= d.tail) {
		smtpd__pack_bytes(p, d.data + d.head, (size_t)rest);
	} else {
		start = (size_t)(rest % d.tail);
		smtpd__pack_bytes(p, gap, sizeof(gap) - 1);
		smtpd__pack_bytes(p, d.data + d.head + start, d.tail - start);
		smtpd__pack_bytes(p, d.data + d.head, start);
	}
	free(d.data);
	return status;
}

/* The job as it is now. */
static void
put_job(struct smtpd_relocation *r, const struct smtpd_delivery_job *job,
    const struct smtpd_record_job *was)
{
	const struct smtpd_queued_message *e = r->message;
	struct smtpd_record_job now = *was;
	unsigned char *bits = NULL;

	now.due = job->due;
	now.attempts = job->attempts;
	now.flags = smtpd__spool_messages_job_flags(job);
	now.bits = NULL;
	if (e->finished != NULL && !job->finished) {
		bits = calloc(((size_t)job->count + 7) / 8, 1);
		if (bits == NULL)
			r->packs[0].failed = true;
		now.flags |= SMTPD_RECORD_BITS;
	}
	for (uint32_t i = 0; bits != NULL && i < job->count; i++)
		if (smtpd__queued_message_is_finished(e, job, job->first + i))
			bits[i / 8] |= (unsigned char)(1u << i % 8);
	now.bits = bits;
	if (!r->packs[0].failed)
		smtpd__record_put_job(&r->packs[0], &now);
	free(bits);
}

/* The message with its present state, and the body that it had. */
static void
put_message(struct smtpd_spool *s, struct smtpd_relocation *r,
    struct smtpd_record_message *m)
{
	struct smtpd_pack *p = &r->packs[0];
	struct smtpd_record_job was;

	m->stamp = smtpd__spool_clock_stamp(s);
	m->flags = (uint16_t)(r->message->flags & SMTPD_RECORD_ENTRY_FLAGS);
	smtpd__record_put_message(p, m);
	for (uint32_t i = 0; i < r->message->njobs; i++) {
		smtpd__record_get_job(&m->jobs, &was);
		put_job(r, &r->message->jobs[i], &was);
	}
}

/* The last results of JOB, and what its histories say.  Return 0, also when
 * they are lost; or -1 with errno. */
static int
put_progress(struct smtpd_spool *s, struct smtpd_relocation *r, size_t n,
    const struct smtpd_delivery_job *job)
{
	struct smtpd_rcpt_progress *results;
	struct smtpd_record_progress now = { 0 };
	struct smtpd_pack *body = &r->packs[2 * n];
	uint32_t number = (uint32_t)(job - r->message->jobs);
	size_t count;
	int status = smtpd__spool_history_results(s, job, &results, &count);

	if (status == -1 && errno == ENOMEM)
		return -1;
	for (size_t i = 0; status == 0 && i < count; i++)
		smtpd__record_put_result(body, &results[i]);
	if (status == 0)
		free(results);
	now.stamp = smtpd__spool_clock_stamp(s);
	now.id = r->message->id;
	now.job = (uint16_t)number;
	now.due = job->due;
	now.attempts = job->attempts;
	now.flags = smtpd__spool_messages_job_flags(job);
	now.results_len = (uint32_t)body->len;
	status = put_history(s, job, body);
	smtpd__record_put_progress(&r->packs[2 * n - 1], &now);
	r->bodies[n] = (struct iovec){ body->data, body->len };
	return status;
}

static int
allocate_records(struct smtpd_relocation *r)
{
	r->count = 1;
	for (uint32_t i = 0; i < r->message->njobs; i++)
		r->count += r->message->jobs[i].history.value != 0;
	r->npacks = 2 * r->count - 1;
	r->packs = calloc(r->npacks, sizeof(*r->packs));
	r->records = calloc(r->count, sizeof(*r->records));
	r->bodies = calloc(r->count, sizeof(*r->bodies));
	if (r->packs != NULL && r->records != NULL && r->bodies != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* Make records of the heads and bodies. */
static void
make_records(struct smtpd_relocation *r)
{
	r->size = 0;
	for (size_t n = 0; n < r->count; n++) {
		const struct smtpd_pack *head =
		    &r->packs[n == 0 ? 0 : 2 * n - 1];

		r->records[n] = (struct smtpd_journal_record){
			.subject = r->message->id,
			.beside = r->message->ref,
			.type = n == 0 ? SMTPD_RECORD_MESSAGE
				       : SMTPD_RECORD_PROGRESS,
			.live = n == 0,
			.head = head->data,
			.head_len = head->len,
			.body = &r->bodies[n],
			.body_count = 1,
		};
		r->size +=
		    SMTPD_JOURNAL_OVERHEAD + head->len + r->bodies[n].iov_len;
	}
}

/* Make the records of the message that R has entered, with what the old ones
 * say. */
static int
prepare_records(struct smtpd_spool *s, struct smtpd_relocation *r)
{
	const struct smtpd_queued_message *e = r->message;
	struct smtpd_journal_record record;
	struct smtpd_record_message m;
	const void *body;
	size_t n = 0;

	r->memory = smtpd__spool_load_record(s, e, &record, &m, &body);
	if (r->memory == NULL)
		return -1;
	if (m.njobs != e->njobs) {
		errno = EBADMSG;
		return -1;
	}
	if (allocate_records(r) == -1)
		return -1;
	put_message(s, r, &m);
	r->bodies[0] = (struct iovec){ (char *)r->memory +
		    ((const char *)body - (const char *)r->memory),
		record.body_len };
	for (uint32_t i = 0; i < e->njobs; i++)
		if (e->jobs[i].history.value != 0 &&
		    put_progress(s, r, ++n, &e->jobs[i]) == -1)
			return -1;
	errno = ENOMEM;
	for (size_t i = 0; i < r->npacks; i++)
		if (r->packs[i].failed)
			return -1;
	make_records(r);
	if (r->size > s->journal->group_max || s->cleaning.tight) {
		/* Without any histories it is no larger than it was. */
		r->count = 1;
		make_records(r);
	}
	return 0;
}

static void
free_relocation(struct smtpd_relocation *r)
{
	for (size_t i = 0; r->packs != NULL && i < r->npacks; i++)
		smtpd__pack_free(&r->packs[i]);
	free(r->packs);
	free(r->records);
	free(r->bodies);
	free(r->memory);
	*r = (struct smtpd_relocation){ 0 };
}

int
smtpd__relocate_begin(struct smtpd_spool *s, uint64_t id,
    struct smtpd_relocation *r, struct smtpd_queued_message **lost)
{
	struct smtpd_queued_message *e = smtpd__spool_find(s, id);
	bool entered;
	int error;

	*r = (struct smtpd_relocation){ 0 };
	*lost = NULL;
	if (e == NULL)
		return 0;
	pthread_mutex_lock(&s->mutex);
	entered = smtpd__append_order_lock(s, e);
	if (entered &&
	    !smtpd__journal_is_due_for_relocation(s->journal, e->ref)) {
		smtpd__append_order_unlock(s, e);
		entered = false;
	}
	pthread_mutex_unlock(&s->mutex);
	if (!entered) {
		smtpd__spool_unpin(s, e);
		return 0;
	}
	r->message = e;
	if (prepare_records(s, r) == 0) {
		smtpd__spool_load_worked(s, e);
		return 0;
	}
	error = errno;
	free_relocation(r);
	pthread_mutex_lock(&s->mutex);
	smtpd__append_order_unlock(s, e);
	pthread_mutex_unlock(&s->mutex);
	if (smtpd__spool_load_failed(s, e, error, false))
		*lost = e;
	else
		smtpd__spool_unpin(s, e);
	errno = error;
	return -1;
}

void
smtpd__relocate_end(
    struct smtpd_spool *s, struct smtpd_relocation *r, bool appended)
{
	struct smtpd_queued_message *e = r->message;
	struct smtpd_record_ref ref;
	uint32_t size;
	size_t n = 0;

	pthread_mutex_lock(&s->mutex);
	ref = e->ref;
	size = e->record_size;
	if (appended) {
		e->ref = r->records[0].ref;
		e->record_size = r->records[0].size;
	}
	for (uint32_t i = 0; appended && i < e->njobs; i++) {
		struct smtpd_delivery_job *job = &e->jobs[i];

		if (job->history.value == 0)
			continue;
		job->history = ++n < r->count ? r->records[n].ref
					      : (struct smtpd_record_ref){ 0 };
	}
	smtpd__append_order_unlock(s, e);
	pthread_mutex_unlock(&s->mutex);
	if (appended)
		smtpd__journal_release(s->journal, e->id, ref, size);
	free_relocation(r);
	smtpd__spool_unpin(s, e);
}
