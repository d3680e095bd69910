/* SPDX-License-Identifier: MIT */
#include "transport/tls_pairs.h"

#include <mbedtls/version.h>

#include <mbedtls/pk.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/tls_compat.h"
#include "transport/tls_names.h"

/* So much of a name is part of the mark of tickets. */
#define NAME_MAX_MIXED 255

/* The certificate of a host, and its key. */
struct smtpd_tls_pair {
	mbedtls_x509_crt chain; /* the host's own first */
	mbedtls_pk_context key;
	struct smtpd_tls_pair *next;
};

/* mbedTLS itself is content with a first whole certificate, and does not look
 * behind a NUL. */
int
smtpd__tls_pairs_parse_chain(const struct smtpd_tls_source *source,
    mbedtls_x509_crt *chain, struct smtpd_tls_fault *error)
{
	const struct smtpd_pem *pem = &source->pem;
	int code;

	if (smtpd__pem_has_nul(pem))
		return smtpd__tls_fault_set(
		    error, source->file, "contains a NUL byte", 0);
	code = mbedtls_x509_crt_parse(chain, pem->text, pem->size);
	if (code < 0)
		return smtpd__tls_fault_set(
		    error, source->file, "no certificates in PEM", code);
	if (code > 0 || smtpd__pem_breaks_off(pem))
		return smtpd__tls_fault_set(
		    error, source->file, "not all certificates are whole", 0);
	return 0;
}

/* Whether P may stand beside the first pair as the default: another kind of
 * key for one of the same names. */
static bool
is_beside(const struct smtpd_tls_pair *first, const struct smtpd_tls_pair *p)
{
	return mbedtls_pk_get_type(&p->key) !=
	    mbedtls_pk_get_type(&first->key) &&
	    smtpd__tls_names_overlap(&first->chain, &p->chain);
}

static void
free_pair(struct smtpd_tls_pair *p)
{
	mbedtls_x509_crt_free(&p->chain);
	mbedtls_pk_free(&p->key);
	free(p);
}

/* Whether P may be used at this time. */
static int
check_dates(const struct smtpd_tls_pair *p, const char *file,
    struct smtpd_tls_fault *error)
{
	if (mbedtls_x509_time_is_past(&p->chain.valid_to))
		return smtpd__tls_fault_set(
		    error, file, "the certificate has expired", 0);
	if (mbedtls_x509_time_is_future(&p->chain.valid_from))
		return smtpd__tls_fault_set(
		    error, file, "the certificate is not valid yet", 0);
	return 0;
}

/* Parse CERT and KEY into P, and check that they belong together, now. */
static int
parse_pair(const struct smtpd_tls_pairs *pairs, struct smtpd_tls_pair *p,
    const struct smtpd_tls_source *cert, const struct smtpd_tls_source *key,
    struct smtpd_tls_fault *error)
{
	int code;

	if (smtpd__tls_pairs_parse_chain(cert, &p->chain, error) == -1)
		return -1;
	code = smtpd_tls_parse_key(
	    &p->key, key->pem.text, key->pem.size, pairs->drbg);
	if (code != 0)
		return smtpd__tls_fault_set(
		    error, key->file, "not a whole key", code);
	if (smtpd_tls_check_pair(&p->chain.pk, &p->key, pairs->drbg) != 0)
		return smtpd__tls_fault_set(error, key->file,
		    "the key belongs to another certificate", 0);
	if (check_dates(p, cert->file, error) == -1 && !pairs->any_date)
		return -1;
	return 0;
}

/* Mix into MARK what tickets depend on: the kind of P's key, and the names. */
static int
mark_pair(const struct smtpd_tls_pair *p, unsigned char *mark)
{
	struct smtpd_tls_names names = smtpd__tls_names(&p->chain);
	const char *name = "";
	size_t len = 0;

	do {
		unsigned char mix[SMTPD_SHA256_SIZE + 4 + NAME_MAX_MIXED] = {
			0
		};
		size_t bits = mbedtls_pk_get_bitlen(&p->key);
		int error;

		memcpy(mix, mark, SMTPD_SHA256_SIZE);
		mix[SMTPD_SHA256_SIZE] =
		    (unsigned char)mbedtls_pk_get_type(&p->key);
		mix[SMTPD_SHA256_SIZE + 1] = (unsigned char)(bits >> 8);
		mix[SMTPD_SHA256_SIZE + 2] = (unsigned char)bits;
		memcpy(mix + SMTPD_SHA256_SIZE + 4, name,
		    len < NAME_MAX_MIXED ? len : NAME_MAX_MIXED);
		error = smtpd__digest_sha256(mix, sizeof(mix), mark);
		if (error != 0)
			return error;
	} while (smtpd__tls_names_next(&names, &name, &len));
	return 0;
}

/* Append P to the others, and use it as a default where it may be one. */
static int
append_pair(struct smtpd_tls_pairs *pairs, struct smtpd_tls_pair *p)
{
	struct smtpd_tls_pair **at = &pairs->first;
	int code = mark_pair(p, pairs->mark);

	if (code == 0 && (*at == NULL || is_beside(*at, p)))
		code =
		    mbedtls_ssl_conf_own_cert(pairs->conf, &p->chain, &p->key);
	if (code != 0)
		return -1;
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	return 0;
}

int
smtpd__tls_pairs_add(struct smtpd_tls_pairs *pairs,
    const struct smtpd_tls_source *cert, const struct smtpd_tls_source *key,
    struct smtpd_tls_fault *error)
{
	struct smtpd_tls_pair *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return smtpd__tls_fault_set(
		    error, cert->file, "cannot be used", ENOMEM);
	mbedtls_x509_crt_init(&p->chain);
	mbedtls_pk_init(&p->key);
	if (parse_pair(pairs, p, cert, key, error) == -1) {
		free_pair(p);
		return -1;
	}
	if (append_pair(pairs, p) == -1) {
		free_pair(p);
		return smtpd__tls_fault_set(
		    error, cert->file, "cannot be used", ENOMEM);
	}
	return 0;
}

int
smtpd__tls_pairs_show(
    const struct smtpd_tls_pairs *pairs, mbedtls_ssl_config *conf)
{
	struct smtpd_tls_pair *first = pairs->first;

	for (struct smtpd_tls_pair *p = first; p != NULL; p = p->next)
		if ((p == first || is_beside(first, p)) &&
		    mbedtls_ssl_conf_own_cert(conf, &p->chain, &p->key) != 0)
			return -1;
	return 0;
}

int
smtpd__tls_pairs_choose(const struct smtpd_tls_pairs *pairs,
    mbedtls_ssl_context *ssl, const char *name, size_t len)
{
	for (struct smtpd_tls_pair *p = pairs->first; p != NULL; p = p->next)
		if (smtpd__tls_names_include(&p->chain, name, len) &&
		    mbedtls_ssl_set_hs_own_cert(ssl, &p->chain, &p->key) != 0)
			return -1;
	return 0;
}

/* Seconds since 1970 (the days of the civil calendar, counted from March). */
static int64_t
seconds_of(const mbedtls_x509_time *t)
{
	int year = t->mon <= 2 ? t->year - 1 : t->year;
	int month = t->mon <= 2 ? t->mon + 9 : t->mon - 3;
	int64_t days = INT64_C(365) * year + year / 4 - year / 100 +
	    year / 400 + (153 * month + 2) / 5 + t->day - 1 - 719468;

	return days * 86400 + t->hour * 3600 + t->min * 60 + t->sec;
}

int64_t
smtpd__tls_pairs_expire_s(const struct smtpd_tls_pairs *pairs)
{
	int64_t first = 0;

	for (const struct smtpd_tls_pair *p = pairs->first; p != NULL;
	    p = p->next) {
		int64_t t = seconds_of(&p->chain.valid_to);

		if (first == 0 || t < first)
			first = t;
	}
	return first;
}

mbedtls_x509_crt *
smtpd__tls_pairs_chain(const struct smtpd_tls_pairs *pairs, size_t i)
{
	struct smtpd_tls_pair *p = pairs->first;

	for (; p != NULL && i > 0; i--)
		p = p->next;
	return p != NULL ? &p->chain : NULL;
}

void
smtpd__tls_pairs_free(struct smtpd_tls_pairs *pairs)
{
	while (pairs->first != NULL) {
		struct smtpd_tls_pair *p = pairs->first;

		pairs->first = p->next;
		free_pair(p);
	}
}
