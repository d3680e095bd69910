/* SPDX-License-Identifier: MIT */
#include "transport/tls_names.h"

#include <mbedtls/version.h>

#include <mbedtls/oid.h>

#include <string.h>

#include "base/text.h"

/* Whether NAME of LEN bytes is PATTERN, which may begin with "*." for one
 * label. */
static bool
matches_pattern(
    const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	const char *dot;

	if (pattern_len > 2 && pattern[0] == '*' && pattern[1] == '.') {
		dot = memchr(name, '.', len);
		if (dot == NULL || dot == name)
			return false;
		len -= (size_t)(dot - name);
		name = dot;
		pattern++;
		pattern_len--;
	}
	return pattern_len == len && smtpd__text_same_bytes(pattern, name, len);
}

struct smtpd_tls_names
smtpd__tls_names(const mbedtls_x509_crt *c)
{
	if (c->subject_alt_names.buf.p != NULL)
		return (struct smtpd_tls_names){ .alt = &c->subject_alt_names };
	return (struct smtpd_tls_names){ .part = &c->subject };
}

bool
smtpd__tls_names_next(struct smtpd_tls_names *n, const char **name, size_t *len)
{
	const mbedtls_x509_buf *found = NULL;

	for (; n->alt != NULL && found == NULL; n->alt = n->alt->next)
		if ((n->alt->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) ==
		    MBEDTLS_X509_SAN_DNS_NAME)
			found = &n->alt->buf;
	for (; n->part != NULL && found == NULL; n->part = n->part->next)
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->part->oid) == 0)
			found = &n->part->val;
	if (found == NULL)
		return false;
	*name = (const char *)found->p;
	*len = found->len;
	return true;
}

bool
smtpd__tls_names_include(
    const mbedtls_x509_crt *c, const char *name, size_t len)
{
	struct smtpd_tls_names names = smtpd__tls_names(c);
	const char *pattern;
	size_t pattern_len;

	while (smtpd__tls_names_next(&names, &pattern, &pattern_len))
		if (matches_pattern(pattern, pattern_len, name, len))
			return true;
	return false;
}

bool
smtpd__tls_names_overlap(const mbedtls_x509_crt *a, const mbedtls_x509_crt *b)
{
	struct smtpd_tls_names names = smtpd__tls_names(a);
	const char *name;
	size_t len;

	while (smtpd__tls_names_next(&names, &name, &len))
		if (smtpd__tls_names_include(b, name, len))
			return true;
	return false;
}
