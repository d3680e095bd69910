/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_SIGNER_H
#define SMTPD_DKIM_SIGNER_H

/*
 * A signer: the keys of domains, and the list of fields to sign.
 */

#include <smtpd/dkim.h>

#include <stdatomic.h>

#include "crypto/rsa_key.h"
#include "dkim/field_list.h"

/* The keys that sign one message. */
#define SMTPD_DKIM_KEYS_MAX 4

/* A key of the signer; its names are in lower case and A-labels. */
struct smtpd_dkim_signer_key {
	char *domain;
	char *selector;
	bool subdomains;
	enum smtpd_dkim_algorithm algorithm;
	struct smtpd_rsa_key *rsa; /* NULL: sign has the key */
	smtpd_dkim_sign_fn *sign;
	void *user;
	size_t signature_size;
};

struct smtpd_dkim {
	atomic_uint refs;
	atomic_bool frozen;
	struct smtpd_dkim_signer_key *keys;
	size_t count;
	struct smtpd_dkim_field_list fields;
};

/* Find the keys for DOMAIN, as it stands in From, and write up to
 * SMTPD_DKIM_KEYS_MAX of them to KEYS.  Return their number. */
size_t smtpd__dkim_signer_find(const struct smtpd_dkim *d, const char *domain,
    const struct smtpd_dkim_signer_key **keys);

/* Sign HASH with KEY to SIGNATURE.  Return 0 or -1. */
int smtpd__dkim_signer_sign(const struct smtpd_dkim_signer_key *key,
    const unsigned char *hash, unsigned char *signature);

#endif
