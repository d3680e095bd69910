/* SPDX-License-Identifier: MIT */
#ifndef ALLOWANCE_H
#define ALLOWANCE_H

/*
 * To how many recipients each user may send in an hour and in a day: a password
 * that was stolen sends to many.  It is counted in memory, and begins anew with
 * the process.
 */

#include <stdint.h>

#include "log.h"

/* Opaque; any thread may use it. */
struct allowances;

/* Begin with PER_HOUR and PER_DAY recipients (0: no limit).  Return NULL
 * without memory. */
struct allowances *allowances_create(
    uint64_t per_hour, uint64_t per_day, struct log *log);

/* NULL is fine. */
void allowances_destroy(struct allowances *a);

/*
 * Count one more recipient of USER at NOW, in seconds of a clock that only goes
 * on.  Return 0; or, uncounted, in how many seconds there may be room for one
 * more, with the limit that is reached in *LIMIT: the first time it is logged.
 * Return -1 without memory.
 */
int64_t allowances_take(
    struct allowances *a, const char *user, int64_t now, uint64_t *limit);

#endif
