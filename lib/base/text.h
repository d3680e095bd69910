/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_TEXT_H
#define SMTPD_BASE_TEXT_H

/*
 * Bytes as ASCII text, whatever the locale says; and a string that grows in a
 * buffer of fixed size.
 */

#include <smtpd/version.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
smtpd__text_is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
smtpd__text_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool
smtpd__text_is_alnum(int c)
{
	return smtpd__text_is_alpha(c) || smtpd__text_is_digit(c);
}

/* 0 to 31, and 127 */
static inline bool
smtpd__text_is_control(int c)
{
	return (c >= 0 && c < ' ') || c == 127;
}

/* Space or tab. */
static inline bool
smtpd__text_is_white(int c)
{
	return c == ' ' || c == '\t';
}

static inline int
smtpd__text_to_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static inline int
smtpd__text_to_upper(int c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* The value of a hexadecimal digit; -1: it is none. */
static inline int
smtpd__text_hex(int c)
{
	if (smtpd__text_is_digit(c))
		return c - '0';
	c = smtpd__text_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The octet that "%" and two digits at S, which ends before END, stand for; -1:
 * there is no such thing. */
static inline int
smtpd__text_percent(const char *s, const char *end)
{
	int high, low;

	if (end - s < 3 || *s != '%')
		return -1;
	high = smtpd__text_hex(s[1]);
	low = smtpd__text_hex(s[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Whether the two are equal but for the case of ASCII letters. */
bool smtpd__text_same(const char *a, const char *b);
bool smtpd__text_same_bytes(const char *a, const char *b, size_t len);

/* Whether none of LEN bytes at S is outside ASCII. */
bool smtpd__text_is_ascii(const char *s, size_t len);

/*
 * A string under construction: always NUL-terminated, cut off at the end of
 * its buffer, which `cut` remembers.
 */
struct smtpd_text {
	char *at;
	size_t len;  /* without the NUL */
	size_t size; /* of the buffer, with room for the NUL */
	bool cut;
	char none[1]; /* the buffer of a caller who has none */
};

/* Begin an empty string in BUF of SIZE bytes; 0: nobody reads it, and BUF may
 * be NULL. */
void smtpd__text_init(struct smtpd_text *t, char *buf, size_t size);

/* Append: a byte, a NUL-terminated string, LEN bytes, a decimal number. */
void smtpd__text_byte(struct smtpd_text *t, char c);
void smtpd__text_add(struct smtpd_text *t, const char *s);
void smtpd__text_bytes(struct smtpd_text *t, const char *s, size_t len);
void smtpd__text_number(struct smtpd_text *t, uint64_t n);

/* Append as printf does. */
void smtpd__text_format(struct smtpd_text *t, const char *format, ...)
    SMTPD_PRINTF(2, 3);
void smtpd__text_vformat(struct smtpd_text *t, const char *format, va_list ap)
    SMTPD_PRINTF(2, 0);

/*
 * Append LEN bytes at S from an untrusted source: each control byte and each
 * byte outside ASCII becomes "?".
 */
void smtpd__text_filtered(struct smtpd_text *t, const char *s, size_t len);

/* The same, but characters in UTF-8 stay, if they are no controls; none of them
 * is cut in two. */
void smtpd__text_filtered_utf8(struct smtpd_text *t, const char *s, size_t len);

/*
 * Write S, from anywhere, to BUF of SIZE bytes as the value of a field in a log
 * line, and return BUF: in quotes, with "\"", "\\" and what is not printable
 * ASCII as \xhh, and so that the last quote is never cut off.
 * smtpd__text_value() leaves the quotes out where nothing needs them.
 */
const char *smtpd__text_quoted(const char *s, char *buf, size_t size);
const char *smtpd__text_value(const char *s, char *buf, size_t size);

#endif
