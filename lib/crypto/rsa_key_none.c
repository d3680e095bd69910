/* SPDX-License-Identifier: MIT */
/* A library without TLS, and so without mbedTLS: there is no key. */
#include "crypto/rsa_key.h"

#include <errno.h>

struct smtpd_rsa_key *
smtpd__rsa_key_read(
    const struct smtpd_pem *pem, size_t copies, const char **why)
{
	(void)pem, (void)copies;
	*why = "cannot be used: built without TLS";
	errno = ENOTSUP;
	return NULL;
}

void
smtpd__rsa_key_free(struct smtpd_rsa_key *k)
{
	(void)k;
}

unsigned
smtpd__rsa_key_bits(const struct smtpd_rsa_key *k)
{
	(void)k;
	return 0;
}

int
smtpd__rsa_key_sign(struct smtpd_rsa_key *k, const unsigned char *hash,
    unsigned char *signature)
{
	(void)k, (void)hash, (void)signature;
	return -1;
}

ssize_t
smtpd__rsa_key_public(struct smtpd_rsa_key *k, unsigned char *out)
{
	(void)k, (void)out;
	return -1;
}

int
smtpd__rsa_key_make(unsigned bits, char *out)
{
	(void)bits, (void)out;
	errno = ENOTSUP;
	return -1;
}
