/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_CONDITION_H
#define SMTPD_OS_CONDITION_H

/*
 * Condition variables whose timeouts are measured by the monotonic clock, so
 * that no change of the time of day shortens or prolongs a wait.
 */

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Make CONDITION; pthread_cond_destroy() ends it.  On Linux this cannot
 * fail. */
void smtpd__condition_init(pthread_cond_t *condition);

/* The moment MS milliseconds from now, for smtpd__condition_wait(). */
struct timespec smtpd__condition_after(uint32_t ms);

/* Wait for CONDITION until the moment UNTIL; NULL: without end.  The caller
 * holds LOCK.  Return 0, also when nothing happened, or ETIMEDOUT. */
int smtpd__condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
    const struct timespec *until);

#endif
