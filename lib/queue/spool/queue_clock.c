/* SPDX-License-Identifier: MIT */
#include "queue/spool/queue_clock.h"

#include "os/clock.h"

/* What it may gain while the queue is closed, in seconds. */
#define GAIN_MAX 86400

static uint32_t
add(uint32_t clock, uint64_t seconds)
{
	return seconds < SMTPD_RECORD_CLOCK_MAX - clock
	    ? clock + (uint32_t)seconds
	    : SMTPD_RECORD_CLOCK_MAX;
}

void
smtpd__queue_clock_start(
    struct smtpd_queue_clock *c, const struct smtpd_stamp *last)
{
	uint64_t wall_ms = smtpd__clock_wall_ms();
	uint64_t gain = 0;

	if (last->wall_ms > 0 && wall_ms > last->wall_ms)
		gain = (wall_ms - last->wall_ms) / 1000;
	c->base = add(last->clock, gain < GAIN_MAX ? gain : GAIN_MAX);
	c->boot_ms = smtpd__clock_boot_ms();
}

uint32_t
smtpd__queue_clock_now(const struct smtpd_queue_clock *c)
{
	uint64_t boot_ms = smtpd__clock_boot_ms();
	uint64_t passed = boot_ms > c->boot_ms ? boot_ms - c->boot_ms : 0;

	return add(c->base, passed / 1000);
}
