/* SPDX-License-Identifier: MIT */
#ifndef TARGET_H
#define TARGET_H

/*
 * Where smtpout listens: at the place that the caller names, or by default on
 * its socket or on loopback.
 */

#include "arguments.h"

/* The name of place I, the best first; NULL: there are no more. */
const char *target_name(const struct arguments *a, size_t i);

/* Connect to one of them; smtpout may be starting or stopping, so it is tried
 * for a while.  Return a descriptor, or -1 with errno. */
int target_connect(const struct arguments *a);

#endif
