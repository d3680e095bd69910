/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DANE_H
#define SMTPD_RESOLVE_DANE_H

/*
 * The TLSA records of a host of mail, if the DNS vouches for them (RFC 7672,
 * 2.2.3).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/tlsa.h"
#include "resolve/dane_rules.h"
#include "resolve/resolver.h"

struct smtpd_dane {
	enum smtpd_dane_demand demand;
	struct smtpd_tlsa_set *set;    /* RECORDS; the caller frees it */
	char base[SMTPD_DNS_HOST_MAX]; /* RECORDS: the name that has them */
	bool bogus;                    /* LATER, for wrong signatures */
	char reason[512];              /* LATER */
	uint32_t ttl_s;                /* how long it holds */
};

/*
 * Look up what is demanded of HOST, a name, at PORT, with R; CANCEL may be
 * NULL.  Blocks.  Return 0, or -1 without memory.
 */
int smtpd__dane_find(struct smtpd_resolver *r, const char *host, uint16_t port,
    const struct smtpd_cancel *cancel, struct smtpd_dane *out);

#endif
