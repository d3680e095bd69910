/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_QUEUE_CLOCK_H
#define SMTPD_QUEUE_SPOOL_QUEUE_CLOCK_H

/* The clock of a queue, as spool.h has it. */

#include "queue/spool/record.h"

struct smtpd_queue_clock {
	uint32_t base;    /* what it showed */
	uint64_t boot_ms; /* when */
};

/* Let it go on from the LAST stamp in the log; wall_ms 0: there is none. */
void smtpd__queue_clock_start(
    struct smtpd_queue_clock *c, const struct smtpd_stamp *last);

uint32_t smtpd__queue_clock_now(const struct smtpd_queue_clock *c);

#endif
