/* SPDX-License-Identifier: MIT */
#include "transport/tls_publish.h"

#include <mbedtls/version.h>

#include <errno.h>

#include "base/text.h"
#include "base/tlsa.h"
#include "crypto/digest.h"
#include "transport/tls_context.h"
#include "transport/tls_dane.h"

int
smtpd_tls_tlsa(const struct smtpd_tls *tls, size_t pair, char *out, size_t size)
{
	const mbedtls_x509_crt *c =
	    smtpd__tls_pairs_chain(smtpd__tls_context_pairs(tls), pair);
	unsigned char digest[SMTPD_SHA256_SIZE];
	struct smtpd_text text;

	if (c == NULL ||
	    smtpd__digest_sha256(c->pk_raw.p, c->pk_raw.len, digest) == -1) {
		errno = ENOENT;
		return -1;
	}
	smtpd__text_init(&text, out, size);
	smtpd__text_add(&text, "3 1 1 ");
	for (size_t i = 0; i < sizeof(digest); i++)
		smtpd__text_format(&text, "%02x", digest[i]);
	return 0;
}

bool
smtpd_tls_matches_tlsa(const struct smtpd_tls *tls, size_t pair,
    const struct smtpd_tlsa_set *set, size_t i, const char *host)
{
	mbedtls_x509_crt *chain =
	    smtpd__tls_pairs_chain(smtpd__tls_context_pairs(tls), pair);
	struct smtpd_tlsa_set one = { .count = 1 };
	struct smtpd_tls_dane dane;

	if (chain == NULL || i >= set->count)
		return false;
	one.list[0] = set->list[i];
	dane = smtpd__tls_dane_judge(chain, &one, &host, 1);
	return dane.record != NULL && dane.flags == 0;
}
