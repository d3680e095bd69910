/* SPDX-License-Identifier: MIT */
#include "queue/spool/core.h"

#include "os/clock.h"

struct smtpd_stamp
smtpd__spool_core_stamp(const struct smtpd_spool *s)
{
	return (struct smtpd_stamp){ .clock = smtpd__queue_clock_now(&s->clock),
		.wall_ms = smtpd__clock_wall_ms() };
}

void
smtpd__spool_core_mark_clock(struct smtpd_spool *s)
{
	struct smtpd_record_clock clock = { .stamp =
						smtpd__spool_core_stamp(s) };
	struct smtpd_journal_record record = { .type = SMTPD_RECORD_CLOCK };
	struct smtpd_pack head = { 0 };

	pthread_mutex_lock(&s->mutex);
	clock.last_id = s->last_id;
	pthread_mutex_unlock(&s->mutex);
	smtpd__record_put_clock(&head, &clock);
	record.head = head.data;
	record.head_len = head.len;
	if (!head.failed)
		smtpd__journal_append(s->journal, &record, 1, 0);
	smtpd__pack_free(&head);
}
