/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
smtpd__base64_encode(struct smtpd_text *t, const void *data, size_t len)
{
	const unsigned char *in = data;

	for (; len > 0; in += 3) {
		size_t have = len < 3 ? len : 3;
		uint32_t bits = (uint32_t)in[0] << 16;

		if (have > 1)
			bits |= (uint32_t)in[1] << 8;
		if (have > 2)
			bits |= in[2];
		smtpd__text_byte(t, alphabet[bits >> 18]);
		smtpd__text_byte(t, alphabet[bits >> 12 & 63]);
		smtpd__text_byte(t, have > 1 ? alphabet[bits >> 6 & 63] : '=');
		smtpd__text_byte(t, have > 2 ? alphabet[bits & 63] : '=');
		len -= have;
	}
}

/* The six bits that C stands for, or -1. */
static int
value_of(char c)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

/* Read four characters, of which the last PADDING are "=".  Return the 24 bits
 * or -1. */
static int32_t
read_group(const char *s, size_t padding)
{
	int32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? value_of(s[i]) : 0;

		if (value < 0)
			return -1;
		bits = bits << 6 | value;
	}
	if (padding > 0 && (bits & (padding == 1 ? 0xff : 0xffff)) != 0)
		return -1;
	return bits;
}

static size_t
count_padding(const char *s, size_t len)
{
	if (len < 4 || s[len - 1] != '=')
		return 0;
	return s[len - 2] == '=' ? 2 : 1;
}

ssize_t
smtpd__base64_decode(const char *s, size_t len, void *out, size_t size)
{
	size_t padding = count_padding(s, len);
	unsigned char *to = out;
	size_t used = 0;

	if (len % 4 != 0 || len / 4 * 3 - padding > size)
		return -1;
	for (size_t at = 0; at < len; at += 4) {
		size_t missing = at + 4 == len ? padding : 0;
		int32_t bits = read_group(s + at, missing);

		if (bits < 0)
			return -1;
		for (size_t i = 0; i < 3 - missing; i++)
			to[used++] = (unsigned char)(bits >> (16 - 8 * i));
	}
	return (ssize_t)used;
}
