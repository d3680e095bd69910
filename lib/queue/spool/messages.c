/* SPDX-License-Identifier: MIT */
#include "queue/spool/messages.h"

#include <stdlib.h>
#include <string.h>

void
smtpd__spool_messages_free(
    struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	for (uint32_t i = 0; i < e->njobs; i++)
		if (e->jobs[i].destination != NULL &&
		    s->settings.release != NULL)
			s->settings.release(
			    s->settings.user, e->jobs[i].destination);
	free(e->finished);
	free(e);
}

bool
smtpd__spool_messages_bind_destination(struct smtpd_spool *s,
    struct smtpd_delivery_job *job, const char *domain, size_t len,
    const struct smtpd_spool_addressees *mail)
{
	char name[SMTPD_SPOOL_DOMAIN_MAX + 1];

	if (s->settings.destination == NULL)
		return true;
	memcpy(name, domain, len);
	name[len] = '\0';
	job->destination =
	    s->settings.destination(s->settings.user, name, mail);
	return job->destination != NULL;
}

uint8_t
smtpd__spool_messages_job_flags(const struct smtpd_delivery_job *job)
{
	unsigned flags = 0;

	if (job->finished)
		flags |= SMTPD_RECORD_FINISHED;
	if (job->delay_notice_sent)
		flags |= SMTPD_RECORD_NOTICE_GIVEN;
	if (job->in_doubt)
		flags |= SMTPD_RECORD_UNSURE;
	return (uint8_t)flags;
}

void
smtpd__spool_messages_apply(struct smtpd_delivery_job *job,
    const struct smtpd_record_progress *p, struct smtpd_record_ref ref)
{
	job->due = p->due;
	job->attempts = p->attempts;
	job->delay_notice_sent = (p->flags & SMTPD_RECORD_NOTICE_GIVEN) != 0;
	job->in_doubt = (p->flags & SMTPD_RECORD_UNSURE) != 0;
	job->history = ref;
	if ((p->flags & SMTPD_RECORD_FINISHED) == 0 || job->finished)
		return;
	job->finished = true;
	job->message->unfinished--;
}

void
smtpd__spool_messages_end(struct smtpd_spool *s, struct smtpd_queued_message *e)
{
	smtpd__message_table_remove(&s->table, e);
	s->count--;
	e->flags |= SMTPD_MESSAGE_ENDED;
}

void
smtpd__spool_messages_release(
    struct smtpd_spool *s, const struct smtpd_queued_message *e)
{
	if ((e->flags & SMTPD_MESSAGE_LARGE) != 0)
		smtpd__content_remove(s->journal, e->id);
	smtpd__journal_release(s->journal, e->id, e->ref, e->record_size);
}
