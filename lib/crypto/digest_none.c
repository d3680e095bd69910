/* SPDX-License-Identifier: MIT */
/* A library without TLS, and so without mbedTLS. */
#include "crypto/digest.h"

int
smtpd__digest_sha256(const void *data, size_t len, unsigned char *out)
{
	(void)data, (void)len, (void)out;
	return -1;
}

int
smtpd__digest_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, unsigned char *out)
{
	(void)key, (void)key_len, (void)data, (void)len, (void)out;
	return -1;
}

int
smtpd__digest_pbkdf2_sha256(const void *password, size_t len, const void *salt,
    size_t salt_len, uint32_t rounds, unsigned char *out)
{
	(void)password, (void)len, (void)salt, (void)salt_len, (void)rounds,
	    (void)out;
	return -1;
}

struct smtpd_digest *
smtpd__digest_begin(void)
{
	return NULL;
}

int
smtpd__digest_add(void *digest, const void *data, size_t len)
{
	(void)digest, (void)data, (void)len;
	return -1;
}

int
smtpd__digest_end(struct smtpd_digest *d, unsigned char *out)
{
	(void)d, (void)out;
	return -1;
}
