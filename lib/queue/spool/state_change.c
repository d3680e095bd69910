/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "queue/spool/core.h"

/* Append a record of CHANGE; the message was entered alone, or is to end. */
static int
append(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    enum smtpd_record_change change)
{
	struct smtpd_record_state state = {
		.stamp = smtpd__spool_stamp(s),
		.id = e->id,
		.change = (uint8_t)change,
	};
	struct smtpd_disk_entry record = { .type = SMTPD_RECORD_STATE };
	struct smtpd_pack head = { 0 };
	int status = -1;

	smtpd__record_put_state(&head, &state);
	record.head = head.data;
	record.head_len = head.len;
	errno = ENOMEM;
	if (!head.failed)
		status = smtpd__disk_append(
		    s->log, &record, 1, SMTPD_DISK_ESSENTIAL);
	smtpd__pack_free(&head);
	return status;
}

int
smtpd__spool_hold(
    struct smtpd_spool *s, struct smtpd_queued_message *message, bool hold)
{
	int status;

	pthread_mutex_lock(&s->mutex);
	if (!smtpd__spool_messages_lock(s, message)) {
		pthread_mutex_unlock(&s->mutex);
		errno = ENOENT;
		return -1;
	}
	pthread_mutex_unlock(&s->mutex);
	status = append(
	    s, message, hold ? SMTPD_RECORD_HELD : SMTPD_RECORD_RELEASED);
	pthread_mutex_lock(&s->mutex);
	if (status == 0 && hold)
		message->flags |= SMTPD_MESSAGE_HELD;
	if (status == 0 && !hold)
		message->flags &= (uint16_t)~SMTPD_MESSAGE_HELD;
	smtpd__spool_messages_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	return status;
}

/* End MESSAGE, which was entered alone and is marked as removed, and leave
 * it. */
static int
end(struct smtpd_spool *s, struct smtpd_queued_message *message,
    enum smtpd_record_change change)
{
	int status = append(s, message, change);

	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		smtpd__spool_messages_end(s, message);
	else
		message->flags &= (uint16_t)~SMTPD_MESSAGE_REMOVED;
	smtpd__spool_messages_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	if (status == 0)
		smtpd__spool_messages_release(s, message);
	return status;
}

/* Enter MESSAGE alone, and mark it.  False when it has ended. */
static bool
begin_end(struct smtpd_spool *s, struct smtpd_queued_message *message)
{
	bool entered;

	pthread_mutex_lock(&s->mutex);
	message->flags |= SMTPD_MESSAGE_REMOVED;
	entered = smtpd__spool_messages_lock(s, message);
	if (entered)
		message->flags |= SMTPD_MESSAGE_REMOVED;
	pthread_mutex_unlock(&s->mutex);
	return entered;
}

int
smtpd__spool_remove(struct smtpd_spool *s, struct smtpd_queued_message *message)
{
	if (!begin_end(s, message))
		return 0;
	return end(s, message, SMTPD_RECORD_REMOVED);
}

int
smtpd__spool_quarantine(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why)
{
	int error;

	if (!begin_end(s, message))
		return 0;
	if (smtpd__quarantine_message(s, message, why) == 0)
		return end(s, message, SMTPD_RECORD_QUARANTINED);
	error = errno;
	smtpd__spool_log(s, SMTPD_LOG_WARNING,
	    "a damaged message cannot be moved to quarantine/, and stays");
	pthread_mutex_lock(&s->mutex);
	message->flags &= (uint16_t)~SMTPD_MESSAGE_REMOVED;
	smtpd__spool_messages_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	errno = error;
	return -1;
}
