/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_TLSA_RECORDS_H
#define SMTPD_RESOLVE_TLSA_RECORDS_H

/* TLSA records out of an answer of the DNS; and, of smtpd/policy.h, the look-up
 * of those that one publishes. */

#include <smtpd/policy.h>

#include "base/tlsa.h"
#include "resolve/dns_message.h"

/* The records of ANSWER, put together from its pieces; the caller frees them.
 * NULL without memory. */
struct smtpd_tlsa_set *smtpd__tlsa_records_read(
    const struct smtpd_dns_answer *answer);

/* Write to NAME of SIZE bytes where the records of HOST at PORT are.  Return 0,
 * or -1 when that is longer than a name can be. */
int smtpd__tlsa_records_name(
    const char *host, uint16_t port, char *name, size_t size);

#endif
