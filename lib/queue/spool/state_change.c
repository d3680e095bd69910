/* SPDX-License-Identifier: MIT */
#include "queue/spool/state_change.h"

#include <errno.h>

#include "queue/spool/add.h"
#include "queue/spool/append_order.h"
#include "queue/spool/messages.h"
#include "queue/spool/quarantine.h"

/* Append a record of CHANGE, behind that of REPORT if it is not NULL, in one
 * group; the message was entered alone, or is to end. */
static int
append_state(struct smtpd_spool *s, const struct smtpd_queued_message *e,
    enum smtpd_record_change change, struct smtpd_addition *report)
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
	struct smtpd_journal_record records[2];
	struct smtpd_pack head = { 0 };
	size_t n = 0;
	int status = -1;

	smtpd__record_put_state(&head, &state);
	record.head = head.data;
	record.head_len = head.len;
	if (report != NULL)
		records[n++] = report->record;
	records[n++] = record;
	errno = ENOMEM;
	if (!head.failed)
		status = smtpd__journal_append(
		    s->journal, records, n, SMTPD_JOURNAL_ESSENTIAL);
	if (status == 0 && report != NULL)
		report->record = records[0];
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
	    s, message, hold ? SMTPD_RECORD_HELD : SMTPD_RECORD_RELEASED, NULL);
	pthread_mutex_lock(&s->mutex);
	if (status == 0 && hold)
		message->flags |= SMTPD_MESSAGE_HELD;
	if (status == 0 && !hold)
		message->flags &= (uint32_t)~SMTPD_MESSAGE_HELD;
	smtpd__append_order_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	return status;
}

/* End MESSAGE, as the functions below say, together with REPORT if that is not
 * NULL, which appears as *FOUND then. */
static int
end_message(struct smtpd_spool *s, struct smtpd_queued_message *message,
    const char *why, struct smtpd_addition *report,
    struct smtpd_queued_message **found)
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
				: SMTPD_RECORD_REMOVED,
		    report);
	pthread_mutex_lock(&s->mutex);
	if (status == 0)
		smtpd__spool_messages_end(s, message);
	else
		message->flags &= (uint32_t)~SMTPD_MESSAGE_REMOVED;
	smtpd__append_order_unlock(s, message);
	pthread_mutex_unlock(&s->mutex);
	if (status == 0 && report != NULL)
		*found = smtpd__spool_add_finish(s, report);
	if (status == 0)
		smtpd__spool_messages_release(s, message);
	return status;
}

int
smtpd__state_change_end(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why)
{
	return end_message(s, message, why, NULL, NULL);
}

int
smtpd__state_change_quarantine(struct smtpd_spool *s,
    struct smtpd_queued_message *message, const char *why,
    const struct smtpd_spool_mail *mail, struct smtpd_queued_message **report)
{
	struct smtpd_addition addition;
	int status;

	*report = NULL;
	if (mail == NULL)
		return end_message(s, message, why, NULL, NULL);
	if (smtpd__spool_add_begin(s, mail, &addition) == -1)
		return -1;
	status = end_message(s, message, why, &addition, report);
	if (*report == NULL)
		smtpd__spool_add_cancel(s, &addition);
	return status;
}
