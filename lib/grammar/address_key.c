/* SPDX-License-Identifier: MIT */
#include "grammar/address_key.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "grammar/address_parse.h"
#include "grammar/idn.h"

/* The most bytes of a key: a character may need three times as many in lower
 * case. */
#define KEY_MAX (3 * SMTPD_LOCAL_MAX)

/* Write the key of TEXT, which is outside ASCII: MAKE writes it where there is
 * room. */
static int
write_key(const char *text, char *buf, size_t size,
    int (*make)(const char *text, char *out, size_t size))
{
	char key[KEY_MAX + 1];

	errno = EINVAL;
	if (!smtpd__utf8_is_valid(text, strlen(text)) ||
	    make(text, key, sizeof(key)) == -1)
		return -1;
	return smtpd_ascii_lower(key, buf, size);
}

static int
make_local(const char *text, char *out, size_t size)
{
	return smtpd__idn_lower(text, strlen(text), out, size);
}

int
smtpd_address_local_key(const char *local, char *buf, size_t size)
{
	if (local == NULL || smtpd__text_is_ascii(local, strlen(local)))
		return smtpd_ascii_lower(local, buf, size);
	return write_key(local, buf, size, make_local);
}

int
smtpd_address_domain_key(const char *domain, char *buf, size_t size)
{
	if (domain == NULL || smtpd__text_is_ascii(domain, strlen(domain)))
		return smtpd_ascii_lower(domain, buf, size);
	return write_key(domain, buf, size, smtpd__idn_to_ascii);
}

const char *
smtpd__address_key_ascii(const char *address, char buf[SMTPD_ADDRESS_MAX])
{
	const char *at = strrchr(address, '@');
	char domain[SMTPD_DOMAIN_MAX + 1];
	struct smtpd_text t;

	if (at == NULL ||
	    !smtpd__text_is_ascii(address, (size_t)(at - address)) ||
	    smtpd__text_is_ascii(at, strlen(at)) ||
	    smtpd_address_domain_key(at + 1, domain, sizeof(domain)) == -1)
		return address;
	smtpd__text_init(&t, buf, SMTPD_ADDRESS_MAX);
	smtpd__text_bytes(&t, address, (size_t)(at + 1 - address));
	smtpd__text_add(&t, domain);
	return t.cut ? address : buf;
}

bool
smtpd__address_key_needs_utf8(const char *address)
{
	char buf[SMTPD_ADDRESS_MAX];
	const char *ascii = smtpd__address_key_ascii(address, buf);

	return !smtpd__text_is_ascii(ascii, strlen(ascii));
}
