/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_RESOLVER_H
#define SMTPD_RESOLVE_RESOLVER_H

#include <smtpd/resolve.h>

/* As smtpd_resolve(), for a host whose name is known: its own addresses, as if
 * there were no MX; and no literal. */
struct smtpd_targets *smtpd__resolve_host(struct smtpd_resolver *r,
    const char *host, const struct smtpd_cancel *cancel);

#endif
