/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_SPACING_H
#define SMTPD_QUEUE_SCHEDULE_SPACING_H

/*
 * A rate, kept by the time between two events.  Pure.  The clock counts whole
 * seconds, so the events of one second may come together; over many seconds
 * there are never more than the rate allows.
 */

#include <stdint.h>

#define SMTPD_SPACING_SECOND_US UINT64_C(1000000)

/* All zero: no limit, and nothing has happened yet. */
struct smtpd_spacing {
	uint64_t interval_us; /* between two events; 0: no limit */
	uint64_t next_us;     /* the next one is not before */
};

/* The interval of COUNT events in SECONDS; 0 where one of them is 0. */
uint64_t smtpd__spacing_interval(uint32_t count, uint32_t seconds);

/* When the next event may be: NOW, or later. */
uint32_t smtpd__spacing_ready(const struct smtpd_spacing *s, uint32_t now);

/* COUNT events happen, whether they may or not: those that came too early are
 * made up for later. */
void smtpd__spacing_use(struct smtpd_spacing *s, uint32_t now, uint32_t count);

/* When those that came too early, but for the last one, are made up for: NOW,
 * or later. */
uint32_t smtpd__spacing_repaid(const struct smtpd_spacing *s, uint32_t now);

/* The moment from which on nothing is left to be known of past events. */
uint32_t smtpd__spacing_end(const struct smtpd_spacing *s);

#endif
