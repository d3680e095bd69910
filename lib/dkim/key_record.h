/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_KEY_RECORD_H
#define SMTPD_DKIM_KEY_RECORD_H

/*
 * The record of a public key in the DNS (RFC 6376, 3.6.1): written for a key,
 * and compared with one.
 */

#include "dkim/signer.h"

/* Compare the record TEXT with KEY.  Return NULL if it has the public key, or
 * what is wrong with it. */
const char *smtpd__key_record_compare(
    const char *text, const struct smtpd_dkim_signer_key *key);

#endif
