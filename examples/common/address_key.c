/* SPDX-License-Identifier: MIT */
#include "address_key.h"

#include <smtpd/address.h>

size_t
address_key(const char *local, const char *domain, char *key)
{
	int len = smtpd_address_local_key(local, key, ADDRESS_KEY_SIZE);

	if (len < 0 || len + 2 > ADDRESS_KEY_SIZE)
		return 0;
	key[len++] = '@';
	key[len] = '\0';
	if (smtpd_address_domain_key(
		domain, key + len, (size_t)(ADDRESS_KEY_SIZE - len)) < 0)
		return 0;
	return (size_t)len;
}
