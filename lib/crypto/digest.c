/* SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <mbedtls/version.h>

#include <mbedtls/md.h>
#include <string.h>

static const mbedtls_md_info_t *
sha256_info(void)
{
	return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
}

int
smtpd__digest_sha256(const void *data, size_t len, unsigned char *out)
{
	return mbedtls_md(sha256_info(), data, len, out) == 0 ? 0 : -1;
}

int
smtpd__digest_hmac_sha256(const void *key, size_t key_len, const void *data,
    size_t len, unsigned char *out)
{
	return mbedtls_md_hmac(sha256_info(), key, key_len, data, len, out) == 0
	    ? 0
	    : -1;
}

/* U1 to U<rounds>, each the HMAC of the one before, all in OUT by XOR. */
static int
stretch_key(mbedtls_md_context_t *md, const void *salt, size_t salt_len,
    uint32_t rounds, unsigned char *out)
{
	static const unsigned char first_block[] = { 0, 0, 0, 1 };
	unsigned char u[SMTPD_SHA256_SIZE];
	int error = mbedtls_md_hmac_update(md, salt, salt_len);

	if (error == 0)
		error = mbedtls_md_hmac_update(
		    md, first_block, sizeof(first_block));
	if (error == 0)
		error = mbedtls_md_hmac_finish(md, u);
	memcpy(out, u, sizeof(u));
	for (uint32_t i = 1; i < rounds && error == 0; i++) {
		error = mbedtls_md_hmac_reset(md);
		if (error == 0)
			error = mbedtls_md_hmac_update(md, u, sizeof(u));
		if (error == 0)
			error = mbedtls_md_hmac_finish(md, u);
		for (size_t k = 0; k < sizeof(u); k++)
			out[k] ^= u[k];
	}
	return error;
}

int
smtpd__digest_pbkdf2_sha256(const void *password, size_t len, const void *salt,
    size_t salt_len, uint32_t rounds, unsigned char *out)
{
	mbedtls_md_context_t md;
	int error;

	mbedtls_md_init(&md);
	error = mbedtls_md_setup(&md, sha256_info(), 1);
	if (error == 0)
		error = mbedtls_md_hmac_starts(&md, password, len);
	if (error == 0)
		error = stretch_key(&md, salt, salt_len, rounds, out);
	mbedtls_md_free(&md);
	return error == 0 ? 0 : -1;
}
