/* SPDX-License-Identifier: MIT */
#include "queue/spool/state_change.h"

#include <errno.h>

#include "queue/spool/append_order.h"
#include "queue/spool/messages.h"
#include "queue/spool/quarantine.h"

/* Append a record of CHANGE; the message was entered alone, or is to end. */
static int
append_state(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    enum smtpd_record_change change)
{
	struct smtpd_record_state state = {
		.stamp = smtpd__spool_clock_stamp(s),
		.id = e->id,
		.change = (uint8_t)change,
	};
	struct smtpd_journal_record record = {
		.subject = e->id,
		.beside = e->ref,
		.ends = change == SMTPD_RECORD_REMOVED ||
		    change == SMTPD_RECORD_QUARANTINED,
		.type = SMTPD_RECORD_STATE,
	};
	struct smtpd_pack head = { 0 };
	int status = -1;

	smtpd__record_put_state(&head, &state);
	record.head = head.data;
	record.head_len = head.len;
	errno = ENOMEM;
	if (!head.failed)
		status = smtpd__journal_append(
		    s->journal, &record, 1, SMTPD_JOURNAL_ESSENTIAL);
	smtpd__pack_free(&head);
	return status;
}

int
smtpd__state_change_hold(
    struct smtpd_spool *s, struct smtpd_queued_message *message, bool hold)
{
	int status;

	pthread_mutex_lock(&s->mutex);
	if (!smtpd__append_order_lock(s, message)) {
		pthread_mutex_unlock(&s->mutex);
		errno = ENOENT;
		return -1;
	}
	pthread_mutex_unlock(&s->mutex);
	status = append_state(
	    s, message, hold ? SMTPD_RECORD_HELD : SMTPD_RECORD_RELEASED);
	pthread_mutex_lock(&s->mutex);
	if (status == 0 && hold)
		message->flags |= SMTPD_MESSAGE_HELD;
	if (status == 0 && !hold)
		message->flags &= (uint16_t)~SMTPD_MESSAGE_HELD;
	smtpd__append_order_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	return status;
}

int
smtpd__state_change_end(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why)
{
	bool entered;
	int status = 0;

	pthread_mutex_lock(&s->mutex);
	message->flags |= SMTPD_MESSAGE_REMOVED;
	entered = smtpd__append_order_lock(s, message);
	if (entered)
		message->flags |= SMTPD_MESSAGE_REMOVED;
	pthread_mutex_unlock(&s->mutex);
	if (!entered)
		return 0;
	if (why != NULL)
		status = smtpd__spool_quarantine_message(s, message, why);
	if (status == 0)
		status = append_state(s, message,
		    why != NULL ? SMTPD_RECORD_QUARANTINED
				: SMTPD_RECORD_REMOVED);
	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		smtpd__spool_messages_end(s, message);
	else
		message->flags &= (uint16_t)~SMTPD_MESSAGE_REMOVED;
	smtpd__append_order_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	if (status == 0)
		smtpd__spool_messages_release(s, message);
	return status;
}
