/* SPDX-License-Identifier: MIT */
#include "grammar/quoted_printable.h"

#include <string.h>

#include "base/text.h"

/* Characters of a line, without the "=" of a soft line break. */
#define WIDTH 75

void
smtpd__quoted_printable_init(
    struct smtpd_quoted_printable *q, smtpd_sink_fn *sink, void *user)
{
	q->sink = sink;
	q->user = user;
	q->failed = false;
	q->held = '\0';
	q->column = 0;
	q->len = 0;
}

static void
write_bytes(struct smtpd_quoted_printable *q, const char *s, size_t len)
{
	if (len > sizeof(q->out) - q->len) {
		if (!q->failed && q->sink(q->user, q->out, q->len) != 0)
			q->failed = true;
		q->len = 0;
	}
	memcpy(q->out + q->len, s, len);
	q->len += len;
}

/* Write what stands for one byte, behind a soft line break if there is no room
 * for it. */
static void
write_piece(struct smtpd_quoted_printable *q, const char *s, size_t len)
{
	if (q->column + len > WIDTH) {
		write_bytes(q, "=\r\n", 3);
		q->column = 0;
	}
	write_bytes(q, s, len);
	q->column += len;
}

void
smtpd__quoted_printable_escape(char c, char out[3])
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char byte = (unsigned char)c;

	out[0] = '=';
	out[1] = digits[byte >> 4];
	out[2] = digits[byte & 15];
}

static void
write_escaped(struct smtpd_quoted_printable *q, char c)
{
	char s[3];

	smtpd__quoted_printable_escape(c, s);
	write_piece(q, s, sizeof(s));
}

/* Whether the next character begins a line, which must not become one that is
 * taken for a boundary. */
static bool
is_at_start(const struct smtpd_quoted_printable *q)
{
	return q->column == 0 || q->column == WIDTH;
}

/* Write what was held, now that NEXT follows; whether that is a part of it. */
static bool
write_held(struct smtpd_quoted_printable *q, char next)
{
	char held = q->held;

	q->held = '\0';
	if (held == '\r' && next == '\n') {
		write_bytes(q, "\r\n", 2);
		q->column = 0;
		return true;
	}
	if (held == '\r' || (held != '\0' && next == '\r'))
		write_escaped(q, held);
	else if (held != '\0')
		write_piece(q, &held, 1);
	return false;
}

int
smtpd__quoted_printable_feed(
    struct smtpd_quoted_printable *q, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (write_held(q, c))
			continue;
		if (smtpd__text_is_white(c) || c == '\r')
			q->held = c;
		else if (c == '-' && is_at_start(q))
			write_escaped(q, c);
		else if (c > ' ' && c <= '~' && c != '=')
			write_piece(q, &c, 1);
		else
			write_escaped(q, c);
	}
	return q->failed ? -1 : 0;
}

int
smtpd__quoted_printable_end(struct smtpd_quoted_printable *q)
{
	write_held(q, '\r');
	if (!q->failed && q->len > 0 && q->sink(q->user, q->out, q->len) != 0)
		q->failed = true;
	q->len = 0;
	return q->failed ? -1 : 0;
}
