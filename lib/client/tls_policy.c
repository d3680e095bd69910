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

/* Append a digest of names and pins.  A library without TLS has none, and no
 * connection whose id would matter. */
static void
add_digest(const struct smtpd_tls_policy *p, struct smtpd_text *id)
{
	unsigned char digest[SMTPD_SHA256_SIZE] = { 0 };
	int error = mix_bytes(digest, &p->nnames, sizeof(p->nnames));

	for (size_t i = 0; i < p->nnames; i++)
		error |= mix_bytes(digest, p->names[i], strlen(p->names[i]));
	error |= mix_bytes(digest, p->pins, p->pins_len);
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
	};
	struct smtpd_text id;

	smtpd__text_init(&id, p->id, sizeof(p->id));
	smtpd__text_add(&id, words[p->level]);
	if (p->first)
		smtpd__text_add(&id, "+first");
	if (p->nnames > 0 || p->pins_len > 0)
		add_digest(p, &id);
}

bool
smtpd__tls_policy_is_strict(const struct smtpd_tls_policy *p)
{
	return p->level == SMTPD_SECURITY_REQUIRED;
}

bool
smtpd__tls_policy_fall_back(
    const struct smtpd_tls_policy *p, struct smtpd_tls_policy *plain)
{
	if (p->level != SMTPD_SECURITY_OPPORTUNISTIC || p->first)
		return false;
	*plain = (struct smtpd_tls_policy){ .level = SMTPD_SECURITY_NONE,
		.reason = "a handshake that failed" };
	smtpd__tls_policy_identify(plain);
	return true;
}
