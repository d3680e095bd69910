/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_TRANSPORT_TLS_PAIRS_H
#define SMTPD_TRANSPORT_TLS_PAIRS_H

/*
 * Certificates with their keys, those of a server or the one of a client:
 * reading and checking them, and choosing those for the name that a client asks
 * for.
 */

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <stdbool.h>
#include <stdint.h>

#include "crypto/digest.h"
#include "crypto/pem.h"
#include "transport/tls_fault.h"

/* A text in PEM, and the file that errors name. */
struct smtpd_tls_source {
	const char *file;
	struct smtpd_pem pem;
};

struct smtpd_tls_pair;

struct smtpd_tls_pairs {
	struct smtpd_tls_pair *first; /* in the order they were added */
	mbedtls_ssl_config *conf;     /* where the default ones are used */
	mbedtls_ctr_drbg_context *drbg;
	bool any_date; /* pairs out of their time are good, with a fault */

	/* The mark of tickets: a digest of kinds of keys and of names. */
	unsigned char mark[SMTPD_SHA256_SIZE];
};

/* Parse all certificates of SOURCE into CHAIN.  Return 0, or -1 with ERROR. */
int smtpd__tls_pairs_parse_chain(const struct smtpd_tls_source *source,
    mbedtls_x509_crt *chain, struct smtpd_tls_fault *error);

/* Add the pair CERT and KEY.  Return 0, or -1 with ERROR; then nothing has
 * changed. */
int smtpd__tls_pairs_add(struct smtpd_tls_pairs *pairs,
    const struct smtpd_tls_source *cert, const struct smtpd_tls_source *key,
    struct smtpd_tls_fault *error);

/* Have CONF show the pairs that PAIRS' own configuration does.  Return 0, or -1
 * without memory. */
int smtpd__tls_pairs_show(
    const struct smtpd_tls_pairs *pairs, mbedtls_ssl_config *conf);

/* Have SSL serve all pairs that bear NAME of LEN bytes; where none does, it
 * keeps the default.  Return 0, or -1 without memory. */
int smtpd__tls_pairs_choose(const struct smtpd_tls_pairs *pairs,
    mbedtls_ssl_context *ssl, const char *name, size_t len);

/* When the first certificate expires, in seconds since 1970; 0: there is
 * none. */
int64_t smtpd__tls_pairs_expire_s(const struct smtpd_tls_pairs *pairs);

/* The chain of pair number I, in the order they were added; NULL: there is no
 * such pair. */
mbedtls_x509_crt *smtpd__tls_pairs_chain(
    const struct smtpd_tls_pairs *pairs, size_t i);

void smtpd__tls_pairs_free(struct smtpd_tls_pairs *pairs);

#endif
