/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_RESOLVER_H
#define SMTPD_RESOLVE_RESOLVER_H

/*
 * From a domain to its targets, by the DNS and a cache: the part of
 * smtpd/resolve.h that is not public.
 */

#include <smtpd/resolve.h>

#include "resolve/cache.h"
#include "resolve/dns.h"

struct smtpd_resolver {
	struct smtpd_dns *dns;
	struct smtpd_cache *cache;
	uint32_t total_ms;
	size_t max_addresses;
	bool self_is_good, refuse_private;
};

/* As smtpd_resolve(), for a host whose name is known: its own addresses, as if
 * there were no MX; and no literal. */
struct smtpd_targets *smtpd__resolver_host(struct smtpd_resolver *r,
    const char *host, const struct smtpd_cancel *cancel);

#endif
