/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_PAIR_H
#define SMTPD_RESOLVE_PAIR_H

/* Both kinds of addresses of a host, asked for side by side: there are servers
 * that never answer one of the two questions. */

#include "resolve/cache.h"
#include "resolve/dns.h"

/* The caller frees both; each is NULL without memory. */
struct smtpd_pair {
	struct smtpd_dns_answer *six;
	struct smtpd_dns_answer *four;
};

/*
 * Get AAAA and A of NAME: each in the cache C, or by asking D for it as
 * smtpd__dns_ask() does, and the answer is put into C.  Once two seconds have
 * passed and one of them has given addresses, the other one is not waited for:
 * it has failed.
 */
void smtpd__pair_get(struct smtpd_dns *d, struct smtpd_cache *c,
    const char *name, uint64_t deadline, const struct smtpd_cancel *cancel,
    struct smtpd_pair *out);

#endif
