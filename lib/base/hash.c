/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "base/text.h"

#define PRIME UINT32_C(16777619)

static uint32_t
add_byte(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * PRIME;
}

uint32_t
smtpd__hash_bytes(uint32_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = add_byte(hash, bytes[i]);
	return hash;
}

uint32_t
smtpd__hash_text(uint32_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = add_byte(hash, (unsigned char)*text);
	return hash;
}

uint32_t
smtpd__hash_text_lower(uint32_t hash, const char *text)
{
	for (; *text != '\0'; text++) {
		int c = smtpd__text_to_lower((unsigned char)*text);

		hash = add_byte(hash, (unsigned char)c);
	}
	return hash;
}

uint32_t
smtpd__hash_spread(uint32_t hash)
{
	return hash ^ (hash >> 16);
}
