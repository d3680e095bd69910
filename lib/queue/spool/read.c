/* SPDX-License-Identifier: MIT */
#include "queue/spool/read.h"

#include <errno.h>
#include <stdlib.h>

/* How often a message is looked for that is being written anew. */
#define TRIES 8

bool
smtpd__spool_read_ref(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_record_ref *ref)
{
	bool lives;

	pthread_mutex_lock(&s->mutex);
	lives = (e->flags & SMTPD_MESSAGE_ENDED) == 0;
	*ref = e->ref;
	pthread_mutex_unlock(&s->mutex);
	return lives;
}

/* The record of E, wherever it is moved to meanwhile. */
static void *
read_record(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    struct smtpd_journal_record *record, const void **body)
{
	struct smtpd_record_ref ref, now;
	void *memory = NULL;

	for (int i = 0; i < TRIES && memory == NULL; i++) {
		errno = ENOENT;
		if (!smtpd__spool_read_ref(s, e, &ref))
			return NULL;
		memory = smtpd__journal_read(s->journal, ref, record, body);
		if (memory != NULL || (errno != ENOENT && errno != EBADMSG))
			return memory;
		if (!smtpd__spool_read_ref(s, e, &now)) {
			errno = ENOENT;
			return NULL;
		}
		if (ref.value == now.value) {
			/* It was live there. */
			errno = EBADMSG;
			return NULL;
		}
	}
	return memory;
}

void *
smtpd__spool_read_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_journal_record *record,
    struct smtpd_record_message *m, const void **body)
{
	void *memory = read_record(s, e, record, body);
	uint64_t content;

	if (memory == NULL)
		return NULL;
	if (record->type == SMTPD_RECORD_MESSAGE &&
	    smtpd__record_get_message(record->head, record->head_len, m) &&
	    m->id == e->id && m->envelope_len <= record->body_len) {
		content = record->body_len - m->envelope_len;
		if ((m->flags & SMTPD_MESSAGE_LARGE) != 0 ? content == 0
							  : content == m->size)
			return memory;
	}
	free(memory);
	errno = EBADMSG;
	return NULL;
}

int
smtpd__spool_read_progress(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_record_ref ref, struct smtpd_spool_read_progress *out)
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
