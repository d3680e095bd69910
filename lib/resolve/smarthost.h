/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_SMARTHOST_H
#define SMTPD_RESOLVE_SMARTHOST_H

/* Where the smarthost is.  It is named by the operator, not by mail: so its
 * name may also be one that only this system knows, like those in /etc/hosts,
 * and an address needs no brackets. */

#include <smtpd/resolve.h>

#include "resolve/dns_message.h"

/* Write HOST as it is looked up, a name in lower case or an address literal, to
 * OUT of SMTPD_DNS_HOST_MAX bytes.  Return 0, or -1 when it is neither. */
int smtpd__smarthost_normalise(const char *host, char *out);

/*
 * Find the addresses of HOST, as smtpd__smarthost_normalise() wrote it.  A name
 * of one label is the system's to know; of another it is asked when R does not
 * know it.  When CANCEL ends that wait, a thread may go on with it for a while.
 * NULL without memory.
 */
struct smtpd_targets *smtpd__smarthost_find(struct smtpd_resolver *r,
    const char *host, const struct smtpd_cancel *cancel);

#endif
