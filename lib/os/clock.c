/* SPDX-License-Identifier: MIT */
#include "os/clock.h"

#include <limits.h>
#include <time.h>

static uint64_t
read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
smtpd__clock_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

uint64_t
smtpd__clock_boot_ms(void)
{
#ifdef CLOCK_BOOTTIME
	return read_ms(CLOCK_BOOTTIME);
#else
	return read_ms(CLOCK_MONOTONIC);
#endif
}

uint64_t
smtpd__clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

uint64_t
smtpd__clock_after(uint64_t now, uint32_t ms)
{
	return smtpd__clock_later(now, smtpd__clock_span(ms));
}

uint64_t
smtpd__clock_span(uint32_t ms)
{
	return ms == UINT32_MAX ? SMTPD_NEVER : ms;
}

uint64_t
smtpd__clock_later(uint64_t now, uint64_t span)
{
	return span > SMTPD_NEVER - now ? SMTPD_NEVER : now + span;
}

uint64_t
smtpd__clock_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int
smtpd__clock_poll_ms(uint64_t now, uint64_t deadline)
{
	if (deadline == SMTPD_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}
