/* SPDX-License-Identifier: MIT */
#include "grammar/xtext.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

/* xchar: "!" to "~" but for "+" and "=" */
static bool
is_xchar(char c)
{
	return c > ' ' && c <= '~' && c != '+' && c != '=';
}

static const char hex_digits[] = "0123456789ABCDEF";

/* The value of one upper-case digit, or -1. */
static int
hex_value(char c)
{
	const char *at = c != '\0' ? strchr(hex_digits, c) : NULL;

	return at != NULL ? (int)(at - hex_digits) : -1;
}

/* The byte that hexchar "+" 2HEXDIG at S stands for, or -1. */
static int
hexchar_value(const char *s, size_t len)
{
	int high;
	int low;

	if (len < 3 || s[0] != '+')
		return -1;
	high = hex_value(s[1]);
	low = hex_value(s[2]);
	return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

int
smtpd__xtext_decode(const char *s, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)s[i];

		if (!is_xchar(s[i])) {
			c = hexchar_value(s + i, len - i);
			i += 2;
		}
		if (c < 0 || smtpd__text_is_control(c) || n + 1 >= size)
			return -1;
		buf[n++] = (char)c;
	}
	if (n >= size || n > INT_MAX)
		return -1;
	buf[n] = '\0';
	return (int)n;
}
