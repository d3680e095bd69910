/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_PUBLISH_H
#define SMTPD_TRANSPORT_TLS_PUBLISH_H

/* The TLSA records of a server's own certificates: a part of smtpd/policy.h. */

#include <smtpd/policy.h>

#endif
