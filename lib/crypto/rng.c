/* SPDX-License-Identifier: MIT */
#include <mbedtls/version.h>

#include "crypto/rng.h"

int
smtpd__rng_init(struct smtpd_rng *r)
{
	mbedtls_entropy_init(&r->entropy);
	mbedtls_ctr_drbg_init(&r->drbg);
	return mbedtls_ctr_drbg_seed(
	    &r->drbg, mbedtls_entropy_func, &r->entropy, NULL, 0);
}

void
smtpd__rng_free(struct smtpd_rng *r)
{
	mbedtls_ctr_drbg_free(&r->drbg);
	mbedtls_entropy_free(&r->entropy);
}
