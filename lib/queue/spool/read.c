/* SPDX-License-Identifier: MIT */
#include "queue/spool/read.h"

#include <errno.h>
#include <stdlib.h>

/* How often a message is looked for that is being written anew. */
#define TRIES 8

bool
smtpd__spool_read_place(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_place *place)
{
	bool lives;

	pthread_mutex_lock(&s->mutex);
	lives = (e->flags & SMTPD_MESSAGE_ENDED) == 0;
	*place = e->place;
	pthread_mutex_unlock(&s->mutex);
	return lives;
}

static bool
same_place(struct smtpd_disk_place a, struct smtpd_disk_place b)
{
	return a.segment == b.segment && a.offset == b.offset;
}

/* The record of E, wherever it is moved to meanwhile. */
static void *
read_record(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    struct smtpd_disk_record *record, const void **body)
{
	struct smtpd_disk_place place, now;
	void *memory = NULL;

	for (int i = 0; i < TRIES && memory == NULL; i++) {
		errno = ENOENT;
		if (!smtpd__spool_read_place(s, e, &place))
			return NULL;
		memory = smtpd__disk_read(s->log, place, record, body);
		if (memory != NULL || (errno != ENOENT && errno != EBADMSG))
			return memory;
		if (!smtpd__spool_read_place(s, e, &now)) {
			errno = ENOENT;
			return NULL;
		}
		if (same_place(place, now)) {
			/* It was live there. */
			errno = EBADMSG;
			return NULL;
		}
	}
	return memory;
}

void *
smtpd__spool_read_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_record *record,
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

void *
smtpd__spool_read_progress(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, struct smtpd_record_progress *p,
    struct smtpd_unpack *results, struct smtpd_unpack *history)
{
	struct smtpd_disk_record record;
	const void *body;
	void *memory = smtpd__disk_read(s->log, place, &record, &body);

	if (memory == NULL)
		return NULL;
	if (record.type == SMTPD_RECORD_PROGRESS &&
	    smtpd__record_get_progress(record.head, record.head_len, p) &&
	    p->id == id && p->job == job && p->results_len <= record.body_len) {
		*results =
		    (struct smtpd_unpack){ .at = body, .left = p->results_len };
		*history = (struct smtpd_unpack){
			.at = (const unsigned char *)body + p->results_len,
			.left = record.body_len - p->results_len,
		};
		return memory;
	}
	free(memory);
	errno = EBADMSG;
	return NULL;
}
