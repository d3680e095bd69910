/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CRYPTO_RSA_KEY_H
#define SMTPD_CRYPTO_RSA_KEY_H

/* A private RSA key that signs SHA-256 digests with PKCS #1, version 1.5, by
 * mbedTLS; any number of threads may use one. */

#include <stddef.h>
#include <sys/types.h>

/* Bits of the largest key, and room for its signature, its public key in DER,
 * and the private one in PEM. */
#define SMTPD_RSA_KEY_BITS_MAX 4096
#define SMTPD_RSA_KEY_SIGN_MAX (SMTPD_RSA_KEY_BITS_MAX / 8)
#define SMTPD_RSA_KEY_DER_MAX  (SMTPD_RSA_KEY_BITS_MAX / 8 + 64)
#define SMTPD_RSA_KEY_PEM_MAX  8192

struct smtpd_pem;
struct smtpd_rsa_key;

/*
 * Read the key in PEM, PKCS #1 or #8 without a password.  mbedTLS makes one
 * signature at a time with a key, so COPIES of it are held, 1 at least.  Return
 * NULL with errno and the reason in *WHY: ENOMEM, EINVAL, ENOTSUP without
 * mbedTLS.
 */
struct smtpd_rsa_key *smtpd__rsa_key_read(
    const struct smtpd_pem *pem, size_t copies, const char **why);

/* Forget it; NULL is fine. */
void smtpd__rsa_key_free(struct smtpd_rsa_key *k);

unsigned smtpd__rsa_key_bits(const struct smtpd_rsa_key *k);

/* Sign HASH of SMTPD_SHA256_SIZE bytes: as many bytes as the modulus has go to
 * SIGNATURE.  Return 0 or -1. */
int smtpd__rsa_key_sign(struct smtpd_rsa_key *k, const unsigned char *hash,
    unsigned char *signature);

/* Write the public key, a SubjectPublicKeyInfo in DER, to OUT of
 * SMTPD_RSA_KEY_DER_MAX bytes.  Return its length, or -1. */
ssize_t smtpd__rsa_key_public(struct smtpd_rsa_key *k, unsigned char *out);

/* Make a key of BITS, and write it to OUT of SMTPD_RSA_KEY_PEM_MAX bytes, a
 * text with its NUL.  Return 0, or -1 with errno. */
int smtpd__rsa_key_make(unsigned bits, char *out);

#endif
