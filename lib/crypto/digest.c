/* SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

#include <mbedtls/version.h>

#include <mbedtls/md.h>

#include <stdbool.h>
#include <stdlib.h>
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

struct smtpd_digest {
	mbedtls_md_context_t md;
	bool failed;
};

struct smtpd_digest *
smtpd__digest_begin(void)
{
	struct smtpd_digest *d = malloc(sizeof(*d));

	if (d == NULL)
		return NULL;
	mbedtls_md_init(&d->md);
	d->failed = mbedtls_md_setup(&d->md, sha256_info(), 0) != 0 ||
	    mbedtls_md_starts(&d->md) != 0;
	return d;
}

int
smtpd__digest_add(void *digest, const void *data, size_t len)
{
	struct smtpd_digest *d = digest;

	if (!d->failed && mbedtls_md_update(&d->md, data, len) != 0)
		d->failed = true;
	return d->failed ? -1 : 0;
}

int
smtpd__digest_end(struct smtpd_digest *d, unsigned char *out)
{
	bool failed;

	if (d == NULL)
		return -1;
	failed = d->failed;
	if (!failed && out != NULL)
		failed = mbedtls_md_finish(&d->md, out) != 0;
	mbedtls_md_free(&d->md);
	free(d);
	return failed ? -1 : 0;
}
