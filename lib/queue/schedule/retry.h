/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_RETRY_H
#define SMTPD_QUEUE_SCHEDULE_RETRY_H

/* How long to wait, and for how long at all. */

#include "queue/schedule/state.h"

/* A moment that is SECONDS after WHEN, and no later than there is one. */
uint32_t smtpd__retry_after(uint32_t when, uint64_t seconds);

/* Seconds to wait after so many failures in a row: from retry_min, doubled
 * each time, to retry_max; give or take a tenth. */
uint64_t smtpd__retry_backoff(struct smtpd_schedule *s, uint32_t failures);

/* When a ready job needs attention though nobody can try it: to tell of the
 * delay, or because its life is over. */
uint32_t smtpd__retry_event(
    const struct smtpd_schedule *s, const struct smtpd_delivery_job *job);

#endif
