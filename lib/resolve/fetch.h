/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_FETCH_H
#define SMTPD_RESOLVE_FETCH_H

/* An answer of the DNS, from the cache of a resolver or from its servers. */

#include "resolve/resolver.h"

/* As smtpd__dns_ask(), but the cache is looked into first, and remembers the
 * answer.  No lock is held meanwhile. */
struct smtpd_dns_answer *smtpd__fetch_answer(const struct smtpd_resolver *r,
    const char *name, enum smtpd_dns_type type, uint64_t deadline,
    const struct smtpd_cancel *cancel);

#endif
