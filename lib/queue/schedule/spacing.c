/* SPDX-License-Identifier: MIT */
#include "queue/schedule/spacing.h"

#include "queue/model/queued_message.h"

static uint32_t
second_of(uint64_t us)
{
	uint64_t second = us / SMTPD_SPACING_SECOND_US;

	return second < SMTPD_TIME_NONE ? (uint32_t)second
					: SMTPD_TIME_NONE - 1;
}

uint64_t
smtpd__spacing_interval(uint32_t count, uint32_t seconds)
{
	uint64_t us = seconds * SMTPD_SPACING_SECOND_US;

	if (count == 0 || us == 0)
		return 0;
	return us >= count ? us / count : 1;
}

uint32_t
smtpd__spacing_ready(const struct smtpd_spacing *s, uint32_t now)
{
	uint32_t next = second_of(s->next_us);

	return next > now ? next : now;
}

void
smtpd__spacing_use(struct smtpd_spacing *s, uint32_t now, uint32_t count)
{
	uint64_t now_us = now * SMTPD_SPACING_SECOND_US;

	if (s->interval_us == 0)
		return;
	if (s->next_us < now_us)
		s->next_us = now_us;
	s->next_us += s->interval_us * count;
}

uint32_t
smtpd__spacing_repaid(const struct smtpd_spacing *s, uint32_t now)
{
	struct smtpd_spacing before = *s;

	if (before.next_us < before.interval_us)
		return now;
	before.next_us -= before.interval_us;
	return smtpd__spacing_ready(&before, now);
}

uint32_t
smtpd__spacing_end(const struct smtpd_spacing *s)
{
	return second_of(s->next_us + SMTPD_SPACING_SECOND_US - 1);
}
