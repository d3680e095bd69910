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
 * Ask for AAAA and A of NAME as smtpd__dns_ask() does.  Once two seconds have
 * passed and one of them has given addresses, the other one is not waited for:
 * it has failed.
 */
void smtpd__pair_ask(struct smtpd_dns *d, const char *name, uint64_t deadline,
    const struct smtpd_cancel *cancel, struct smtpd_pair *out);

/* Find both in the cache C.  Return false if they are to be asked for. */
bool smtpd__pair_find(
    struct smtpd_cache *c, const char *name, struct smtpd_pair *out);

/* Put P, which may lack answers, into the cache C. */
void smtpd__pair_keep(
    struct smtpd_cache *c, const char *name, const struct smtpd_pair *p);

#endif
