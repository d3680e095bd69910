/* SPDX-License-Identifier: MIT */
#include "queue/model/queued_message.h"

#include <stdlib.h>

struct smtpd_queued_message *
smtpd__queued_message_create(uint64_t id, uint32_t njobs)
{
	struct smtpd_queued_message *e =
	    calloc(1, sizeof(*e) + njobs * sizeof(e->jobs[0]));

	if (e == NULL)
		return NULL;
	e->id = id;
	e->njobs = (uint16_t)njobs;
	e->unfinished = (uint16_t)njobs;
	for (uint32_t i = 0; i < njobs; i++)
		e->jobs[i].message = e;
	return e;
}

/* Bytes of the bits of its recipients. */
static size_t
bits_len(const struct smtpd_queued_message *e)
{
	const struct smtpd_delivery_job *last = &e->jobs[e->njobs - 1];

	return ((size_t)last->first + last->count + 7) / 8;
}

bool
smtpd__queued_message_need_bits(struct smtpd_queued_message *e)
{
	if (e->finished == NULL)
		e->finished = calloc(bits_len(e), 1);
	return e->finished != NULL;
}

void
smtpd__queued_message_finish_rcpt(struct smtpd_queued_message *e, uint32_t rcpt)
{
	_Atomic unsigned char *bits = e->finished;

	atomic_fetch_or(&bits[rcpt / 8], (unsigned char)(1u << rcpt % 8));
}

bool
smtpd__queued_message_is_finished(const struct smtpd_queued_message *e,
    const struct smtpd_delivery_job *job, uint32_t rcpt)
{
	const _Atomic unsigned char *bits = e->finished;

	if (job->finished)
		return true;
	return bits != NULL && (bits[rcpt / 8] & 1u << rcpt % 8) != 0;
}

struct smtpd_queued_message *
smtpd__queued_message_copy(const struct smtpd_queued_message *from)
{
	const _Atomic unsigned char *bits = from->finished;
	struct smtpd_queued_message *to =
	    smtpd__queued_message_create(from->id, from->njobs);
	_Atomic unsigned char *copied;

	if (to == NULL)
		return NULL;
	to->size = from->size;
	to->ref = from->ref;
	to->record_size = from->record_size;
	to->arrived = from->arrived;
	to->unfinished = from->unfinished;
	to->flags = from->flags;
	for (uint32_t i = 0; i < from->njobs; i++) {
		const struct smtpd_delivery_job *job = &from->jobs[i];
		struct smtpd_delivery_job *out = &to->jobs[i];

		out->destination = job->destination;
		out->finished = job->finished;
		out->delay_notice_sent = job->delay_notice_sent;
		out->in_doubt = job->in_doubt;
		out->attempts = job->attempts;
		out->due = SMTPD_TIME_NONE;
		out->first = job->first;
		out->count = job->count;
		out->history = job->history;
	}
	if (bits == NULL)
		return to;
	if (!smtpd__queued_message_need_bits(to)) {
		free(to);
		return NULL;
	}
	copied = to->finished;
	for (size_t i = 0; i < bits_len(from); i++)
		copied[i] = bits[i];
	return to;
}
