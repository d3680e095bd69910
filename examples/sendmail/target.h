/* SPDX-License-Identifier: MIT */
#ifndef TARGET_H
#define TARGET_H

/*
 * Where smtpout listens: at the place that the caller names, or by default on
 * its socket or on loopback.
 */

#include <smtpd/resolve.h>

#include "arguments.h"

/* The name of place I, the best first; NULL: there are no more. */
const char *target_name(const struct arguments *a, size_t i);

/* Set T to the place NAME, and its port, if it has one, to that of A.  No name
 * is looked up: it is this host.  Return 0, or -1 when NAME is no address, and
 * no path of a socket. */
int target_find(
    const struct arguments *a, const char *name, struct smtpd_target *t);

#endif
