/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <smtpd/address.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

bool
smtpd__text_same(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strlen(b) == len && smtpd__text_same_bytes(a, b, len);
}

bool
smtpd__text_same_bytes(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (smtpd__text_to_lower(a[i]) != smtpd__text_to_lower(b[i]))
			return false;
	}
	return true;
}

bool
smtpd__text_is_ascii(const char *s, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)s[i];
	return all < 128;
}

int
smtpd_ascii_lower(const char *text, char *buf, size_t size)
{
	size_t len;

	if (text == NULL || buf == NULL) {
		errno = EINVAL;
		return -1;
	}
	len = strlen(text);
	if (len >= size || len > INT_MAX) {
		errno = ERANGE;
		return -1;
	}
	for (size_t i = 0; i <= len; i++)
		buf[i] = (char)smtpd__text_to_lower(text[i]);
	return (int)len;
}

const char *
smtpd_address_escape(const char *text, char *buf, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	/* Room for the longest form and the NUL. */
	for (; *text != '\0' && t.len + 5 <= size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > ' ' && c < 0x7f && strchr("<>\\", c) == NULL)
			smtpd__text_byte(&t, (char)c);
		else
			smtpd__text_format(&t, "\\x%02x", c);
	}
	return buf;
}

void
smtpd__text_init(struct smtpd_text *t, char *buf, size_t size)
{
	*t = (struct smtpd_text){ .at = buf, .size = size };
	if (size == 0) {
		t->at = t->none;
		t->size = sizeof(t->none);
	}
	t->at[0] = '\0';
}

void
smtpd__text_byte(struct smtpd_text *t, char c)
{
	smtpd__text_bytes(t, &c, 1);
}

void
smtpd__text_add(struct smtpd_text *t, const char *s)
{
	smtpd__text_bytes(t, s, strlen(s));
}

void
smtpd__text_bytes(struct smtpd_text *t, const char *s, size_t len)
{
	size_t room = t->size - 1 - t->len;

	if (len > room) {
		len = room;
		t->cut = true;
	}
	if (len > 0)
		memcpy(t->at + t->len, s, len);
	t->len += len;
	t->at[t->len] = '\0';
}

void
smtpd__text_number(struct smtpd_text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	smtpd__text_bytes(t, digits + at, sizeof(digits) - at);
}

void
smtpd__text_format(struct smtpd_text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	smtpd__text_vformat(t, format, ap);
	va_end(ap);
}

void
smtpd__text_vformat(struct smtpd_text *t, const char *format, va_list ap)
{
	size_t room = t->size - t->len;
	int n = vsnprintf(t->at + t->len, room, format, ap);

	if (n < 0) {
		/* Not to be expressed: as if nothing had been appended. */
		t->at[t->len] = '\0';
		return;
	}
	if ((size_t)n >= room) {
		n = (int)(room - 1);
		t->cut = true;
	}
	t->len += (size_t)n;
}

void
smtpd__text_filtered(struct smtpd_text *t, const char *s, size_t len)
{
	char *at = t->at + t->len;
	const char *end;

	smtpd__text_bytes(t, s, len);
	end = t->at + t->len;
	for (; at < end; at++) {
		unsigned char c = (unsigned char)*at;

		*at = c >= 128 || smtpd__text_is_control(c) ? '?' : *at;
	}
}

void
smtpd__text_filtered_utf8(struct smtpd_text *t, const char *s, size_t len)
{
	for (size_t at = 0, n; at < len && !t->cut; at += n) {
		uint32_t point;

		n = smtpd__utf8_decode(s + at, len - at, &point);
		if (n > t->size - 1 - t->len)
			t->cut = true;
		else if (n == 0 || smtpd__utf8_is_control(point))
			smtpd__text_byte(t, '?');
		else
			smtpd__text_bytes(t, s + at, n);
		n += n == 0;
	}
}

static bool
is_plain(char c)
{
	return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
}

const char *
smtpd__text_quoted(const char *s, char *buf, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	smtpd__text_byte(&t, '"');
	/* Room for the longest form, the last quote and the NUL. */
	for (; *s != '\0' && t.len + 6 <= size; s++) {
		if (is_plain(*s) || *s == ' ' || *s == '=')
			smtpd__text_byte(&t, *s);
		else
			smtpd__text_format(&t, "\\x%02x", (unsigned char)*s);
	}
	smtpd__text_byte(&t, '"');
	return buf;
}

const char *
smtpd__text_value(const char *s, char *buf, size_t size)
{
	size_t len = 0;

	while (is_plain(s[len]))
		len++;
	if (len == 0 || s[len] != '\0' || len >= size)
		return smtpd__text_quoted(s, buf, size);
	memcpy(buf, s, len + 1);
	return buf;
}
