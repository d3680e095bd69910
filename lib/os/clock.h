/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_CLOCK_H
#define SMTPD_OS_CLOCK_H

/* The clocks of the system, in milliseconds. */

#include <stdint.h>

/* A time that is never reached. */
#define SMTPD_NEVER UINT64_MAX

/* Milliseconds on the monotonic clock: for deadlines. */
uint64_t smtpd__clock_ms(void);

/* The same, but it goes on while the machine sleeps, where the system can
 * tell. */
uint64_t smtpd__clock_boot_ms(void);

/* Milliseconds since 1970: for names and dates. */
uint64_t smtpd__clock_wall_ms(void);

/* The moment MS milliseconds after NOW; UINT32_MAX milliseconds never end. */
uint64_t smtpd__clock_after(uint64_t now, uint32_t ms);

/* MS as a span of time: UINT32_MAX is SMTPD_NEVER. */
uint64_t smtpd__clock_span(uint32_t ms);

/* The moment SPAN milliseconds after NOW, SMTPD_NEVER at most. */
uint64_t smtpd__clock_later(uint64_t now, uint64_t span);

/* The earlier of two moments. */
uint64_t smtpd__clock_earlier(uint64_t a, uint64_t b);

/* What poll() takes to wait from NOW until DEADLINE. */
int smtpd__clock_poll_ms(uint64_t now, uint64_t deadline);

#endif
