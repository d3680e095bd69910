/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void
make_room(struct bytes *b, size_t len)
{
	size_t room = b->room;

	if (b->len + len < room)
		return;
	while (room <= b->len + len)
		room = room * 2 + 64;
	b->data = realloc(b->data, room);
	if (b->data == NULL)
		die("out of memory");
	b->room = room;
}

void
bytes_add(struct bytes *b, const char *s, size_t len)
{
	make_room(b, len);
	if (len > 0)
		memcpy(b->data + b->len, s, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
bytes_text(struct bytes *b, const char *s)
{
	bytes_add(b, s, strlen(s));
}

void
bytes_format(struct bytes *b, const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	bytes_text(b, text);
}

void
bytes_drop(struct bytes *b, size_t len)
{
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len + 1);
	b->len -= len;
}

void
bytes_finish(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

/* The byte that the letter C after a backslash stands for, or -1. */
static int
simple_escape(char c)
{
	static const char letters[] = "rnt0\\";
	static const char meant[] = "\r\n\t\0\\";
	const char *at = strchr(letters, c);

	return c != '\0' && at != NULL ? meant[at - letters] : -1;
}

/* The two hex digits of \xHH, or -1. */
static int
hex_escape(const char *s, size_t len)
{
	char digits[3] = { 0 };
	char *end;
	long value;

	if (len < 2)
		return -1;
	memcpy(digits, s, 2);
	value = strtol(digits, &end, 16);
	return end == digits + 2 ? (int)value : -1;
}

/* TEXT*N} at S: add it, and return its length, 0 when it is not that. */
static size_t
repeat(struct bytes *b, const char *s, size_t len)
{
	const char *close = memchr(s, '}', len);
	const char *star = close;
	struct bytes text = { 0 };
	unsigned long n;

	if (close == NULL)
		return 0;
	while (star > s && *star != '*')
		star--;
	if (star == s || !bytes_unescape(&text, s, (size_t)(star - s)))
		return 0;
	n = strtoul(star + 1, NULL, 10);
	while (n-- > 0)
		bytes_add(b, text.data, text.len);
	bytes_finish(&text);
	return (size_t)(close - s) + 1;
}

/* One escape at S behind its backslash: the length, 0 when it is none. */
static size_t
unescape_one(struct bytes *b, const char *s, size_t len)
{
	int value;
	char byte;

	if (len == 0)
		return 0;
	if (*s == '{')
		return repeat(b, s + 1, len - 1) + 1;
	value = *s == 'x' ? hex_escape(s + 1, len - 1) : simple_escape(*s);
	if (value < 0)
		return 0;
	byte = (char)value;
	bytes_add(b, &byte, 1);
	return *s == 'x' ? 3 : 1;
}

bool
bytes_unescape(struct bytes *b, const char *s, size_t len)
{
	bytes_add(b, "", 0);
	while (len > 0) {
		const char *slash = memchr(s, '\\', len);
		size_t plain = slash == NULL ? len : (size_t)(slash - s);
		size_t used;

		bytes_add(b, s, plain);
		if (slash == NULL)
			return true;
		used = unescape_one(b, slash + 1, len - plain - 1);
		if (used == 0 || (slash[1] == '{' && used == 1))
			return false;
		s = slash + 1 + used;
		len -= plain + 1 + used;
	}
	return true;
}

void
bytes_print(const struct bytes *b, FILE *out, size_t max)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if (i == max) {
			fprintf(out, "... (%zu bytes)", b->len);
			return;
		}
		if (c == '\r' || c == '\n')
			fputs(c == '\r' ? "\\r" : "\\n", out);
		else if (c == '\\')
			fputs("\\\\", out);
		else if (c < ' ' || c > '~')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}
