/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_HOSTNAME_H
#define SMTPD_RESOLVE_HOSTNAME_H

/* Names of hosts and of domains, before the DNS is asked for them. */

#include "resolve/dns_message.h"

/*
 * Write NAME in lower case, without a last dot and in A-labels to OUT of
 * SMTPD_DNS_HOST_MAX bytes.  Return 0, or -1 when it cannot be a host's.
 */
int smtpd__hostname_normalise(const char *name, char *out);

#endif
