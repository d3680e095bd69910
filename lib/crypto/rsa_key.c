/* SPDX-License-Identifier: MIT */
#include "crypto/rsa_key.h"

#include <mbedtls/version.h>

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/pem.h"
#include "crypto/rng.h"

struct smtpd_rsa_key {
	struct smtpd_rng rng;
	atomic_size_t next; /* the copy for the next signature */
	size_t count;
	mbedtls_pk_context copies[];
};

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
static int
parse_key(
    mbedtls_pk_context *key, const struct smtpd_pem *pem, struct smtpd_rng *rng)
{
	return mbedtls_pk_parse_key(key, pem->text, pem->size, NULL, 0,
	    mbedtls_ctr_drbg_random, &rng->drbg);
}

static int
sign_hash(mbedtls_pk_context *key, const unsigned char *hash,
    unsigned char *signature, size_t *len, struct smtpd_rng *rng)
{
	return mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, SMTPD_SHA256_SIZE,
	    signature, SMTPD_RSA_KEY_SIGN_MAX, len, mbedtls_ctr_drbg_random,
	    &rng->drbg);
}
#else
static int
parse_key(
    mbedtls_pk_context *key, const struct smtpd_pem *pem, struct smtpd_rng *rng)
{
	(void)rng;
	return mbedtls_pk_parse_key(key, pem->text, pem->size, NULL, 0);
}

static int
sign_hash(mbedtls_pk_context *key, const unsigned char *hash,
    unsigned char *signature, size_t *len, struct smtpd_rng *rng)
{
	return mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, SMTPD_SHA256_SIZE,
	    signature, len, mbedtls_ctr_drbg_random, &rng->drbg);
}
#endif

/* Read a copy more.  Return NULL, or what is wrong. */
static const char *
add_copy(struct smtpd_rsa_key *k, const struct smtpd_pem *pem)
{
	mbedtls_pk_context *key = &k->copies[k->count++];

	mbedtls_pk_init(key);
	if (parse_key(key, pem, &k->rng) != 0)
		return "is no private key in PEM without a password";
	if (mbedtls_pk_get_type(key) != MBEDTLS_PK_RSA)
		return "is no RSA key";
	if (mbedtls_pk_get_bitlen(key) > SMTPD_RSA_KEY_BITS_MAX ||
	    mbedtls_pk_get_bitlen(key) % 8 != 0)
		return "has more than 4096 bits, or no whole octets of them";
	return NULL;
}

struct smtpd_rsa_key *
smtpd__rsa_key_read(
    const struct smtpd_pem *pem, size_t copies, const char **why)
{
	struct smtpd_rsa_key *k =
	    calloc(1, sizeof(*k) + copies * sizeof(k->copies[0]));

	*why = "no memory";
	if (k == NULL)
		return NULL;
	atomic_init(&k->next, 0);
	errno = ENOMEM;
	if (smtpd__rng_init(&k->rng) == 0) {
		errno = EINVAL;
		do
			*why = add_copy(k, pem);
		while (*why == NULL && k->count < copies);
	}
	if (*why == NULL)
		return k;
	copies = (size_t)errno;
	smtpd__rsa_key_free(k);
	errno = (int)copies;
	return NULL;
}

void
smtpd__rsa_key_free(struct smtpd_rsa_key *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->count; i++)
		mbedtls_pk_free(&k->copies[i]);
	smtpd__rng_free(&k->rng);
	free(k);
}

unsigned
smtpd__rsa_key_bits(const struct smtpd_rsa_key *k)
{
	return (unsigned)mbedtls_pk_get_bitlen(&k->copies[0]);
}

/* mbedTLS locks the copy. */
int
smtpd__rsa_key_sign(struct smtpd_rsa_key *k, const unsigned char *hash,
    unsigned char *signature)
{
	size_t i = atomic_fetch_add(&k->next, 1) % k->count;
	size_t len = 0;

	if (sign_hash(&k->copies[i], hash, signature, &len, &k->rng) != 0 ||
	    len != smtpd__rsa_key_bits(k) / 8)
		return -1;
	return 0;
}

/* mbedTLS writes to the end of a buffer. */
ssize_t
smtpd__rsa_key_public(struct smtpd_rsa_key *k, unsigned char *out)
{
	int len = mbedtls_pk_write_pubkey_der(
	    &k->copies[0], out, SMTPD_RSA_KEY_DER_MAX);

	if (len <= 0)
		return -1;
	memmove(out, out + SMTPD_RSA_KEY_DER_MAX - len, (size_t)len);
	return len;
}

int
smtpd__rsa_key_make(unsigned bits, char *out)
{
	struct smtpd_rng *rng = malloc(sizeof(*rng));
	mbedtls_pk_context key;
	int error;

	if (rng == NULL)
		return -1;
	mbedtls_pk_init(&key);
	error = smtpd__rng_init(rng);
	if (error == 0)
		error = mbedtls_pk_setup(
		    &key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
	if (error == 0)
		error = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key),
		    mbedtls_ctr_drbg_random, &rng->drbg, bits, 65537);
	if (error == 0)
		error = mbedtls_pk_write_key_pem(
		    &key, (unsigned char *)out, SMTPD_RSA_KEY_PEM_MAX);
	mbedtls_pk_free(&key);
	smtpd__rng_free(rng);
	free(rng);
	errno = EIO;
	return error == 0 ? 0 : -1;
}
