/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_DANE_H
#define SMTPD_CLIENT_DANE_H

/* What TLSA records demand of a program's own client: a part of smtpd/policy.h.
 */

#include <smtpd/policy.h>

#endif
