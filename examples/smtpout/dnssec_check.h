/* SPDX-License-Identifier: MIT */
#ifndef DNSSEC_CHECK_H
#define DNSSEC_CHECK_H

/* What --check says of the DNS server: whether DANE has what it needs. */

#include <smtpd/policy.h>

#include "log.h"
#include "settings.h"

/* Whether --dns names servers that can be asked.  Return 0, or a status of
 * sysexits.h, after a complaint. */
int dnssec_check_servers(struct settings *s);

/* Ask the servers of RESOLVER, a few seconds at most, and say in LOG whether
 * what they answer can be believed.  That they cannot is no mistake. */
void dnssec_check(
    const struct smtpd_resolver_settings *resolver, struct log *log);

#endif
