/* SPDX-License-Identifier: MIT */
#include "resolve/hostname.h"

#include <string.h>

#include "base/text.h"
#include "grammar/idn.h"

#define LABEL_MAX 63

/* The bytes of NAME that can stand in a label. */
static size_t
label_len(const char *name)
{
	size_t n = 0;

	while (smtpd__text_is_alnum((unsigned char)name[n]) || name[n] == '-' ||
	    name[n] == '_')
		n++;
	return n;
}

static bool
is_label(const char *s, size_t len)
{
	return len > 0 && len <= LABEL_MAX && s[0] != '-' && s[len - 1] != '-';
}

/* A last label of digits alone would make it an address (RFC 3696, 2). */
/* Whether NAME, without a last dot, can be that of a host: labels of letters,
 * digits, "-" and, because so many have it, "_"; and no IPv4 address. */
static bool
is_valid_name(const char *name)
{
	if (strlen(name) >= SMTPD_DNS_HOST_MAX)
		return false;
	for (;;) {
		size_t len = label_len(name);

		if (!is_label(name, len))
			return false;
		if (name[len] == '\0')
			return strspn(name, "0123456789") < len;
		if (name[len] != '.')
			return false;
		name += len + 1;
	}
}

int
smtpd__hostname_normalise(const char *name, char *out)
{
	size_t len;

	if (!smtpd__text_is_ascii(name, strlen(name))) {
		if (smtpd__idn_to_ascii(name, out, SMTPD_DNS_HOST_MAX) != 0)
			return -1;
		name = out;
	}
	len = strlen(name);
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len >= SMTPD_DNS_HOST_MAX)
		return -1;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)smtpd__text_to_lower((unsigned char)name[i]);
	out[len] = '\0';
	return is_valid_name(out) ? 0 : -1;
}
