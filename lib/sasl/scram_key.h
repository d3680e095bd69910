/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_SCRAM_KEY_H
#define SMTPD_SASL_SCRAM_KEY_H

/* Stored keys of SCRAM-SHA-256: made, written, read (RFC 5803, 3), and checked
 * against a password. */

#include <smtpd/auth.h>

#include <stdbool.h>

/* Octets of the salt of a key that is made here. */
#define SMTPD_SCRAM_SALT_SIZE 16

/* Whether KEY can be one: its salt, and the number of iterations. */
bool smtpd__scram_key_is_valid(const struct smtpd_scram_key *key);

/* Whether PASSWORD is the one of KEY, which is valid. */
bool smtpd__scram_key_matches(
    const struct smtpd_scram_key *key, const char *password);

/*
 * Make the key that USER would have: always the same for SECRET of
 * SMTPD_SCRAM_HASH_SIZE bytes, with ITERATIONS, and no password's.  Return 0,
 * or -1 when there are no digests.
 */
int smtpd__scram_key_make_up(struct smtpd_scram_key *key,
    const unsigned char *secret, const char *user, uint32_t iterations);

#endif
