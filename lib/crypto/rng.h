/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CRYPTO_RNG_H
#define SMTPD_CRYPTO_RNG_H

/* A random generator, for the two ends of TLS alone. */

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>

/* The generator has a lock of its own, and may be shared. */
struct smtpd_rng {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

/* Begin and seed it.  Return 0 or an error of mbedTLS; it is to be freed in
 * any case. */
int smtpd__rng_init(struct smtpd_rng *r);

void smtpd__rng_free(struct smtpd_rng *r);

#endif
