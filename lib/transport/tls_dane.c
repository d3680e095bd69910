/* SPDX-License-Identifier: MIT */
#include "transport/tls_dane.h"

#include <mbedtls/version.h>

#include <mbedtls/md.h>
#include <mbedtls/pk.h>

#include <string.h>

#include "transport/tls_compat.h"
#include "transport/tls_names.h"

/* Certificates of a chain that are looked at. */
#define CHAIN_MAX 16

static bool
is_same(const struct smtpd_tlsa *record, const unsigned char *data, size_t len)
{
	return record->len == len && memcmp(record->data, data, len) == 0;
}

/* Whether RECORD is of the certificate C, or its key. */
static bool
is_record_of(const struct smtpd_tlsa *record, const mbedtls_x509_crt *c)
{
	const mbedtls_x509_buf *part =
	    record->selector == SMTPD_TLSA_KEY ? &c->pk_raw : &c->raw;
	unsigned char digest[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *md;

	if (record->matching == SMTPD_TLSA_FULL)
		return is_same(record, part->p, part->len);
	md = mbedtls_md_info_from_type(record->matching == SMTPD_TLSA_SHA256
		? MBEDTLS_MD_SHA256
		: MBEDTLS_MD_SHA512);
	if (md == NULL || mbedtls_md(md, part->p, part->len, digest) != 0)
		return false;
	return is_same(record, digest, mbedtls_md_get_size(md));
}

/* What is wrong with CHAIN under the authority whose certificate is the LEN
 * octets at DER, and under no other. */
static uint32_t
verify_under(mbedtls_x509_crt *chain, const unsigned char *der, size_t len)
{
	uint32_t flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	mbedtls_x509_crt anchor;

	mbedtls_x509_crt_init(&anchor);
	if (mbedtls_x509_crt_parse_der(&anchor, der, len) == 0)
		(void)mbedtls_x509_crt_verify(
		    chain, &anchor, NULL, NULL, &flags, NULL, NULL);
	mbedtls_x509_crt_free(&anchor);
	return flags;
}

/* Whether signatures with TYPE of digest still count. */
static bool
is_strong_digest(mbedtls_md_type_t type)
{
	return type == MBEDTLS_MD_SHA256 || type == MBEDTLS_MD_SHA384 ||
	    type == MBEDTLS_MD_SHA512;
}

/* Whether C was signed with KEY. */
static bool
is_signed_with(const mbedtls_x509_crt *c, mbedtls_pk_context *key)
{
	const mbedtls_md_type_t type = SMTPD_TLS_FIELD(c, sig_md);
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(type);
	const mbedtls_x509_buf *sig = &SMTPD_TLS_FIELD(c, sig);
	unsigned char digest[MBEDTLS_MD_MAX_SIZE];

	if (md == NULL || !is_strong_digest(type) ||
	    mbedtls_md(md, c->tbs.p, c->tbs.len, digest) != 0)
		return false;
	return mbedtls_pk_verify_ext(SMTPD_TLS_FIELD(c, sig_pk),
		   SMTPD_TLS_FIELD(c, sig_opts), key, type, digest,
		   mbedtls_md_get_size(md), sig->p, sig->len) == 0;
}

/* The flags of C's dates. */
static uint32_t
check_dates(const mbedtls_x509_crt *c)
{
	uint32_t flags = 0;

	if (mbedtls_x509_time_is_past(&c->valid_to))
		flags |= MBEDTLS_X509_BADCERT_EXPIRED;
	if (mbedtls_x509_time_is_future(&c->valid_from))
		flags |= MBEDTLS_X509_BADCERT_FUTURE;
	return flags;
}

/*
 * What is wrong with CHAIN under the bare key of RECORD, which may have signed
 * any certificate of it (RFC 7671, 5.2.3).  Return false when it signed none.
 */
static bool
verify_under_key(
    mbedtls_x509_crt *chain, const struct smtpd_tlsa *record, uint32_t *flags)
{
	const mbedtls_x509_crt *c = chain;
	mbedtls_pk_context key;
	bool signed_one = false;

	mbedtls_pk_init(&key);
	if (mbedtls_pk_parse_public_key(&key, record->data, record->len) != 0)
		c = NULL;
	for (int i = 0; c != NULL && i < CHAIN_MAX; i++, c = c->next) {
		/* That of an authority which is there matched already. */
		if (is_same(record, c->pk_raw.p, c->pk_raw.len) ||
		    !is_signed_with(c, &key))
			continue;
		*flags = c == chain ? check_dates(c)
				    : verify_under(chain, c->raw.p, c->raw.len);
		signed_one = true;
		if (*flags == 0)
			break;
	}
	mbedtls_pk_free(&key);
	return signed_one;
}

/* Whether RECORD, of an authority, matches CHAIN; and what is wrong with that
 * then.  The server's own certificate is no authority of its own. */
static bool
match_authority(
    mbedtls_x509_crt *chain, const struct smtpd_tlsa *record, uint32_t *flags)
{
	const mbedtls_x509_crt *c = chain->next;

	for (int i = 0; c != NULL && i < CHAIN_MAX; i++, c = c->next) {
		if (!is_record_of(record, c))
			continue;
		*flags = verify_under(chain, c->raw.p, c->raw.len);
		return true;
	}
	if (record->matching != SMTPD_TLSA_FULL)
		return false;
	if (record->selector == SMTPD_TLSA_KEY)
		return verify_under_key(chain, record, flags);
	*flags = verify_under(chain, record->data, record->len);
	/* It has nothing to do with the chain, or is the leaf. */
	return (*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0 &&
	    !is_same(record, chain->raw.p, chain->raw.len);
}

static bool
bears_one(const mbedtls_x509_crt *c, const char *const *names, size_t nnames)
{
	for (size_t i = 0; i < nnames; i++)
		if (smtpd__tls_names_include(c, names[i], strlen(names[i])))
			return true;
	return false;
}

struct smtpd_tls_dane
smtpd__tls_dane_judge(mbedtls_x509_crt *chain, const struct smtpd_tlsa_set *set,
    const char *const *names, size_t nnames)
{
	struct smtpd_tls_dane best = { .record = NULL };

	for (size_t i = 0; i < set->count; i++) {
		const struct smtpd_tlsa *record = &set->list[i];
		uint32_t flags = 0;
		bool matched;

		if (record->usage == SMTPD_TLSA_DANE_EE)
			matched = is_record_of(record, chain);
		else
			matched = match_authority(chain, record, &flags);
		if (!matched)
			continue;
		if (record->usage == SMTPD_TLSA_DANE_TA &&
		    !bears_one(chain, names, nnames))
			flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
		if (best.record == NULL || flags == 0)
			best = (struct smtpd_tls_dane){ record, flags };
		if (flags == 0)
			break;
	}
	return best;
}
