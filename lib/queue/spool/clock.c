/* SPDX-License-Identifier: MIT */
#include "queue/spool/clock.h"

#include "os/clock.h"
#include "os/id_source.h"
#include "queue/spool/core.h"

/* How long the queue may have been closed, in seconds: more than that may be a
 * clock that jumped. */
#define CLOSED_MAX 86400

void
smtpd__spool_clock_start(struct smtpd_spool *s)
{
	uint64_t wall_ms = smtpd__clock_wall_ms();
	uint64_t closed = 0;

	if (s->last.wall_ms > 0 && wall_ms > s->last.wall_ms)
		closed = (wall_ms - s->last.wall_ms) / 1000;
	s->closed_s = (uint32_t)(closed < CLOSED_MAX ? closed : CLOSED_MAX);
	s->clock_base = s->last.clock;
	s->clock_boot_ms = smtpd__clock_boot_ms();
}

uint32_t
smtpd__spool_clock_now(const struct smtpd_spool *s)
{
	uint64_t boot_ms = smtpd__clock_boot_ms();
	uint64_t now = s->clock_base;

	if (boot_ms > s->clock_boot_ms)
		now += (boot_ms - s->clock_boot_ms) / 1000;
	return now < SMTPD_RECORD_CLOCK_MAX ? (uint32_t)now
					    : SMTPD_RECORD_CLOCK_MAX;
}

uint64_t
smtpd__spool_clock_wall_ms(const struct smtpd_spool *s, uint32_t when)
{
	int64_t seconds = (int64_t)when - (int64_t)smtpd__spool_clock_now(s);
	int64_t ms = (int64_t)smtpd__clock_wall_ms() + seconds * 1000;

	return ms > 0 ? (uint64_t)ms : 0;
}

struct smtpd_stamp
smtpd__spool_clock_stamp(const struct smtpd_spool *s)
{
	return (struct smtpd_stamp){ .clock = smtpd__spool_clock_now(s),
		.wall_ms = smtpd__clock_wall_ms() };
}

void
smtpd__spool_clock_record(struct smtpd_spool *s)
{
	struct smtpd_record_clock clock = { .stamp =
						smtpd__spool_clock_stamp(s) };
	struct smtpd_journal_record record = { .type = SMTPD_RECORD_CLOCK };
	struct smtpd_pack head = { 0 };

	clock.last_id = smtpd__id_source_last();
	smtpd__record_put_clock(&head, &clock);
	record.head = head.data;
	record.head_len = head.len;
	if (!head.failed)
		smtpd__journal_append(s->journal, &record, 1, 0);
	smtpd__pack_free(&head);
}
