/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_CHECK_H
#define SMTPD_DKIM_CHECK_H

/*
 * smtpd_dkim_check(): whether the DNS has the public key of a signer's key.
 */

#include <smtpd/dkim.h>

#endif
