/* SPDX-License-Identifier: MIT */
#include "transport/tls_names.h"

#include <mbedtls/version.h>

#include <mbedtls/oid.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

/* The tag of iPAddress, which 2.28 has no name for. */
#define SAN_IP_ADDRESS 7

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

size_t
smtpd__tls_names_address(const char *name, unsigned char out[16])
{
	static const char ipv6[] = "[IPv6:";
	char text[INET6_ADDRSTRLEN + 1];
	size_t len;

	if (smtpd__text_same_bytes(name, ipv6, sizeof(ipv6) - 1))
		name += sizeof(ipv6) - 1;
	else if (*name == '[')
		name++;
	len = strcspn(name, "]");
	if (len >= sizeof(text))
		return 0;
	memcpy(text, name, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

bool
smtpd__tls_names_include_address(
    const mbedtls_x509_crt *c, const unsigned char *ip, size_t len)
{
	if (c->subject_alt_names.buf.p == NULL)
		return false;
	for (const mbedtls_x509_sequence *alt = &c->subject_alt_names;
	    alt != NULL; alt = alt->next)
		if ((alt->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) ==
			SAN_IP_ADDRESS &&
		    alt->buf.len == len && memcmp(alt->buf.p, ip, len) == 0)
			return true;
	return false;
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
