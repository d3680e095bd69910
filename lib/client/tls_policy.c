/* SPDX-License-Identifier: MIT */
#include "client/tls_policy.h"

#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"

/* Digits of a digest that are shown: half of it. */
#define DIGEST_SHOWN (SMTPD_SHA256_SIZE / 2)

/* Mix LEN bytes at DATA into DIGEST: that of the old one and of theirs. */
static int
mix_bytes(unsigned char *digest, const void *data, size_t len)
{
	unsigned char both[2 * SMTPD_SHA256_SIZE];

	memcpy(both, digest, SMTPD_SHA256_SIZE);
	if (smtpd__digest_sha256(data, len, both + SMTPD_SHA256_SIZE) == -1)
		return -1;
	return smtpd__digest_sha256(both, sizeof(both), digest);
}

/* The records of SET, each with what it is of. */
static int
mix_records(unsigned char *digest, const struct smtpd_tlsa_set *set)
{
	int error = 0;

	for (size_t i = 0; set != NULL && i < set->count; i++) {
		const struct smtpd_tlsa *t = &set->list[i];
		const unsigned char kind[] = { t->usage, t->selector,
			t->matching };

		error |= mix_bytes(digest, kind, sizeof(kind));
		error |= mix_bytes(digest, t->data, t->len);
	}
	return error;
}

/* Append a digest of names and records.  A library without TLS has none, and no
 * connection whose id would matter. */
static void
add_digest(const struct smtpd_tls_policy *p, struct smtpd_text *id)
{
	unsigned char digest[SMTPD_SHA256_SIZE] = { 0 };
	int error = mix_bytes(digest, &p->nnames, sizeof(p->nnames));

	for (size_t i = 0; i < p->nnames; i++)
		error |= mix_bytes(digest, p->names[i], strlen(p->names[i]));
	error |= mix_records(digest, p->tlsa);
	if (p->server_name != NULL)
		error |=
		    mix_bytes(digest, p->server_name, strlen(p->server_name));
	smtpd__text_byte(id, '+');
	for (size_t i = 0; error == 0 && i < DIGEST_SHOWN; i++)
		smtpd__text_format(id, "%02x", digest[i]);
}

void
smtpd__tls_policy_identify(struct smtpd_tls_policy *p)
{
	static const char *const words[] = {
		[SMTPD_SECURITY_OPPORTUNISTIC] = SMTPD_TLS_POLICY_OPPORTUNISTIC,
		[SMTPD_SECURITY_REQUIRED] = "required",
		[SMTPD_SECURITY_NONE] = "none",
		[SMTPD_SECURITY_ENCRYPTED] = "encrypted",
	};
	static const char *const sources[] = {
		[SMTPD_TLS_SOURCE_LOCAL] = "",
		[SMTPD_TLS_SOURCE_DANE] = "+dane",
		[SMTPD_TLS_SOURCE_STS] = "+sts",
	};
	struct smtpd_text id;

	smtpd__text_init(&id, p->id, sizeof(p->id));
	smtpd__text_add(&id, words[p->level]);
	smtpd__text_add(&id, sources[p->source]);
	if (p->first)
		smtpd__text_add(&id, "+first");
	if (p->testing)
		smtpd__text_add(&id, "+testing");
	if (p->refused != NULL)
		smtpd__text_add(&id, "+refused");
	if (p->nnames > 0 || p->tlsa != NULL || p->server_name != NULL)
		add_digest(p, &id);
}

void
smtpd__tls_policy_demand_dane(
    struct smtpd_tls_policy *p, const struct smtpd_tlsa_set *set)
{
	p->source = SMTPD_TLS_SOURCE_DANE;
	if (set->count > 0) {
		p->level = SMTPD_SECURITY_REQUIRED;
		p->tlsa = set;
		p->reason = "the TLSA records of the host";
		return;
	}
	p->level = SMTPD_SECURITY_ENCRYPTED;
	p->reason = "the TLSA records of the host, of which none can be used";
}

/* The level that decides whether a connection is of use. */
static enum smtpd_security
effective_level(const struct smtpd_tls_policy *p)
{
	return p->testing ? SMTPD_SECURITY_OPPORTUNISTIC : p->level;
}

bool
smtpd__tls_policy_needs_tls(const struct smtpd_tls_policy *p)
{
	enum smtpd_security level = effective_level(p);

	return p->expected || level == SMTPD_SECURITY_ENCRYPTED ||
	    level == SMTPD_SECURITY_REQUIRED;
}

bool
smtpd__tls_policy_is_strict(const struct smtpd_tls_policy *p)
{
	return effective_level(p) == SMTPD_SECURITY_REQUIRED;
}

bool
smtpd__tls_policy_looks(const struct smtpd_tls_policy *p)
{
	return p->level == SMTPD_SECURITY_REQUIRED;
}

bool
smtpd__tls_policy_fall_back(
    const struct smtpd_tls_policy *p, struct smtpd_tls_policy *plain)
{
	if (effective_level(p) != SMTPD_SECURITY_OPPORTUNISTIC || p->first)
		return false;
	*plain = (struct smtpd_tls_policy){ .level = SMTPD_SECURITY_NONE,
		.reason = "a handshake that failed" };
	smtpd__tls_policy_identify(plain);
	return true;
}

const char *
smtpd__tls_policy_wanted(const struct smtpd_tls_policy *p)
{
	static const char *const words[] = {
		[SMTPD_SECURITY_OPPORTUNISTIC] = "opportunistic",
		[SMTPD_SECURITY_REQUIRED] = "verified",
		[SMTPD_SECURITY_NONE] = "none",
		[SMTPD_SECURITY_ENCRYPTED] = "encrypted",
	};

	if (p->source == SMTPD_TLS_SOURCE_STS)
		return p->testing ? "sts-testing" : "sts";
	return p->tlsa != NULL ? "dane" : words[p->level];
}

const char *
smtpd__tls_policy_reached(enum smtpd_tls_reached reached)
{
	static const char *const words[] = {
		[SMTPD_TLS_REACHED_NONE] = "none",
		[SMTPD_TLS_REACHED_ENCRYPTED] = "encrypted",
		[SMTPD_TLS_REACHED_VERIFIED] = "verified",
		[SMTPD_TLS_REACHED_DANE] = "dane",
	};

	return words[reached];
}

const char *
smtpd__tls_policy_failure(enum smtpd_tls_failure failure)
{
	static const char *const words[] = {
		[SMTPD_TLS_FAILURE_NONE] = "",
		[SMTPD_TLS_FAILURE_STARTTLS_NOT_SUPPORTED] =
		    "starttls-not-supported",
		[SMTPD_TLS_FAILURE_CERTIFICATE_HOST_MISMATCH] =
		    "certificate-host-mismatch",
		[SMTPD_TLS_FAILURE_CERTIFICATE_EXPIRED] = "certificate-expired",
		[SMTPD_TLS_FAILURE_CERTIFICATE_NOT_TRUSTED] =
		    "certificate-not-trusted",
		[SMTPD_TLS_FAILURE_VALIDATION] = "validation-failure",
		[SMTPD_TLS_FAILURE_TLSA_INVALID] = "tlsa-invalid",
		[SMTPD_TLS_FAILURE_DNSSEC_INVALID] = "dnssec-invalid",
		[SMTPD_TLS_FAILURE_DANE_REQUIRED] = "dane-required",
		[SMTPD_TLS_FAILURE_STS_POLICY_FETCH_ERROR] =
		    "sts-policy-fetch-error",
		[SMTPD_TLS_FAILURE_STS_POLICY_INVALID] = "sts-policy-invalid",
		[SMTPD_TLS_FAILURE_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
	};

	return words[failure];
}
