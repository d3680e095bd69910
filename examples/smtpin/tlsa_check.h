/* SPDX-License-Identifier: MIT */
#ifndef TLSA_CHECK_H
#define TLSA_CHECK_H

/* What --check says of TLSA records: those to publish for the certificates, and
 * whether the DNS has them. */

#include <smtpd/tls.h>

#include "log.h"

/*
 * Say in LOG which records are to be published for each pair of TLS, NULL:
 * there is none, at HOST, the name that the MX of domains have; and how they
 * compare with what DNS, a server, or NULL: those of the system, has.  A
 * certificate that none of them matches, and a record that is of none, as in a
 * roll-over, are warned of.
 */
void tlsa_check(const struct smtpd_tls *tls, const char *host, const char *dns,
    struct log *log);

#endif
