/* SPDX-License-Identifier: MIT */
#ifndef ROUTE_TARGET_H
#define ROUTE_TARGET_H

/* A target of a route, as options and a file have it:
 * TARGET[;NAME=VALUE]... */

#include <smtpd/route.h>

#include "logins.h"
#include "sources.h"

/*
 * Read TEXT into OUT, which points into it, to SOURCES, and to LOGINS, where
 * users have their passwords and tokens.  Return 0, or an exit status with what
 * is wrong in WHY of SIZE bytes.
 */
int route_target_read(char *text, struct logins *logins,
    struct smtpd_route_target *out, struct smtpd_source sources[SOURCES_MAX],
    char *why, size_t size);

#endif
