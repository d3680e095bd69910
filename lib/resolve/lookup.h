/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_LOOKUP_H
#define SMTPD_RESOLVE_LOOKUP_H

/*
 * smtpd_lookup(): single questions to the DNS, and the names of clients.
 */

#include <smtpd/lookup.h>

#endif
