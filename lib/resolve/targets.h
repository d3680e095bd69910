/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_TARGETS_H
#define SMTPD_RESOLVE_TARGETS_H

/* Results of a look-up, each in one piece of memory. */

#include <smtpd/resolve.h>

#include "resolve/mx.h"

/* FOUND: the addresses of LIST, whose names are among the COUNT at HOSTS, which
 * are put into the order of preference and name.  NULL without memory. */
struct smtpd_targets *smtpd__targets_found(struct smtpd_mx_host *hosts,
    size_t count, const struct smtpd_mx_list *list);

/* FOUND: the UNIX socket at PATH, which is short enough for one.  NULL without
 * memory. */
struct smtpd_targets *smtpd__targets_socket(const char *path);

/* No target, for the reason that FORMAT makes.  NULL without memory. */
struct smtpd_targets *smtpd__targets_none(enum smtpd_resolve_outcome outcome,
    const char *status, const char *format, ...) SMTPD_PRINTF(3, 4);

#endif
