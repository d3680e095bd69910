/* SPDX-License-Identifier: MIT */
#ifndef UNIT_FAILING_H
#define UNIT_FAILING_H

/* Allocations that fail: for programs linked with --wrap of malloc, calloc,
 * realloc and smtpd__pages_map. */

#include <stdbool.h>

/* Let N allocations of this thread go well, and the next one fail. */
void failing_after(int n);

/* Let all go well again.  Return whether one failed. */
bool failing_ended(void);

#endif
