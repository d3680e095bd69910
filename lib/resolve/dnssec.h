/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_DNSSEC_H
#define SMTPD_RESOLVE_DNSSEC_H

/* Whether the servers of a resolver validate: a part of smtpd/policy.h. */

#include <smtpd/policy.h>

#endif
