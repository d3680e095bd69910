/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CRYPTO_DIGEST_H
#define SMTPD_CRYPTO_DIGEST_H

/* SHA-256 and what SCRAM makes of it (RFC 5802, 2.2; RFC 7677), by mbedTLS. */

#include <stddef.h>
#include <stdint.h>

#define SMTPD_SHA256_SIZE 32

/* Each writes SMTPD_SHA256_SIZE bytes to OUT, and returns 0 or -1. */
int smtpd__digest_sha256(const void *data, size_t len, unsigned char *out);
int smtpd__digest_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, unsigned char *out);

/* Hi(): the first block of PBKDF2 with HMAC-SHA-256 (RFC 8018, 5.2). */
int smtpd__digest_pbkdf2_sha256(const void *password, size_t len,
    const void *salt, size_t salt_len, uint32_t rounds, unsigned char *out);

/* SHA-256 of what comes in pieces. */
struct smtpd_digest;

/* Begin one.  NULL without memory, or without mbedTLS. */
struct smtpd_digest *smtpd__digest_begin(void);

/* Add LEN bytes.  This is a smtpd_sink_fn for DIGEST, a struct smtpd_digest:
 * return 0 or -1. */
int smtpd__digest_add(void *digest, const void *data, size_t len);

/* Free D, NULL is fine, and write the digest of SMTPD_SHA256_SIZE bytes to OUT,
 * unless that is NULL.  Return 0 or -1. */
int smtpd__digest_end(struct smtpd_digest *d, unsigned char *out);

#endif
