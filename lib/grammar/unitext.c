/* SPDX-License-Identifier: MIT */
#include "grammar/unitext.h"

#include <limits.h>
#include <string.h>

#include "base/utf8.h"

static bool
is_qchar(uint32_t point)
{
	return point > ' ' && point <= '~' && point != '+' && point != '=' &&
	    point != '\\';
}

/* The value of one upper-case digit, or -1. */
static int
hex_value(char c)
{
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return smtpd__text_is_digit(c) ? c - '0' : -1;
}

/*
 * EmbeddedUnicodeChar = "\x{" HEXPOINT "}", of 2 to 6 digits without a needless
 * zero, for a character that is no QCHAR.  Set *POINT; return the length, or 0.
 */
static size_t
read_embedded(const char *s, size_t len, uint32_t *point)
{
	size_t n = strlen("\\x{"), digits;

	if (len < n || memcmp(s, "\\x{", n) != 0)
		return 0;
	*point = 0;
	for (digits = 0; n < len && digits < 6 && hex_value(s[n]) >= 0;
	    digits++, n++)
		*point = *point << 4 | (uint32_t)hex_value(s[n]);
	if (n == len || s[n] != '}' || digits < 2 ||
	    (digits > 2 && s[strlen("\\x{")] == '0') || is_qchar(*point))
		return 0;
	return n + 1;
}

/* Append POINT as UTF-8; false if there is no such character. */
static bool
add_character(struct smtpd_text *t, uint32_t point)
{
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t rest = point < 0x80 ? 0
	    : point < 0x800        ? 1
	    : point < 0x10000      ? 2
				   : 3;
	char s[4];

	if (point > 0x10ffff)
		return false;
	s[0] = (char)(lead[rest] | point >> 6 * rest);
	for (size_t i = 1; i <= rest; i++)
		s[i] = (char)(0x80 | (point >> 6 * (rest - i) & 0x3f));
	smtpd__text_bytes(t, s, rest + 1);
	return smtpd__utf8_is_valid(s, rest + 1);
}

int
smtpd__unitext_decode(const char *s, size_t len, char *buf, size_t size)
{
	struct smtpd_text t;

	if (size == 0)
		return -1;
	smtpd__text_init(&t, buf, size);
	while (len > 0) {
		uint32_t point;
		size_t n = *s == '\\' ? read_embedded(s, len, &point)
				      : smtpd__utf8_decode(s, len, &point);

		if (n == 0 || smtpd__utf8_is_control(point) ||
		    (n == 1 && !is_qchar(point)) || !add_character(&t, point))
			return -1;
		s += n;
		len -= n;
	}
	return t.cut || t.len > INT_MAX ? -1 : (int)t.len;
}

void
smtpd__unitext_encode(struct smtpd_text *t, const char *s)
{
	size_t len = strlen(s);

	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;

		n = smtpd__utf8_decode(s + at, len - at, &point);
		if (n == 0) {
			point = 0xfffd; /* no character */
			n = 1;
		}
		if (is_qchar(point))
			smtpd__text_byte(t, (char)point);
		else
			smtpd__text_format(t, "\\x{%02X}", (unsigned)point);
	}
}
