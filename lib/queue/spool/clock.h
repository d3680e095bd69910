/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CLOCK_H
#define SMTPD_QUEUE_SPOOL_CLOCK_H

/*
 * The clock of a queue.  It counts the seconds that the queue was open, as only
 * these make mail old: it goes on from where the journal ends.  For the time
 * that it was closed, by the wall clock, but a day at most, what waits is due
 * earlier.  While the spool is open it follows CLOCK_BOOTTIME.
 */

#include <stdint.h>

#include "queue/spool/record.h"

struct smtpd_spool;

/* Let it go on from the last stamp in the journal. */
void smtpd__spool_clock_start(struct smtpd_spool *s);

/* The present moment. */
uint32_t smtpd__spool_clock_now(const struct smtpd_spool *s);

/* A moment of the clock as milliseconds since 1970, for people. */
uint64_t smtpd__spool_clock_wall_ms(const struct smtpd_spool *s, uint32_t when);

/* The present moment, for a record. */
struct smtpd_stamp smtpd__spool_clock_stamp(const struct smtpd_spool *s);

/* Record the clock, and the last id. */
void smtpd__spool_clock_record(struct smtpd_spool *s);

#endif
