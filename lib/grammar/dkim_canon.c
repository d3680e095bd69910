/* SPDX-License-Identifier: MIT */
#include "grammar/dkim_canon.h"

#include <string.h>

#include "base/text.h"

void
smtpd__dkim_canon_body_init(
    struct smtpd_dkim_body *b, smtpd_sink_fn *sink, void *user)
{
	b->sink = sink;
	b->user = user;
	b->empty = 0;
	b->space = b->in_line = b->after_cr = b->failed = false;
	b->used = 0;
}

static void
flush_out(struct smtpd_dkim_body *b)
{
	if (!b->failed && b->used > 0 && b->sink(b->user, b->out, b->used) != 0)
		b->failed = true;
	b->used = 0;
}

static void
put_body(struct smtpd_dkim_body *b, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = sizeof(b->out) - b->used;

		if (n > len)
			n = len;
		memcpy(b->out + b->used, data, n);
		b->used += n;
		data += n;
		len -= n;
		if (b->used == sizeof(b->out))
			flush_out(b);
	}
}

/* A line of white space alone is empty once that is left out. */
static void
end_line(struct smtpd_dkim_body *b)
{
	if (b->in_line)
		put_body(b, "\r\n", 2);
	else
		b->empty++;
	b->in_line = b->space = false;
}

static bool
is_plain(char c)
{
	return c != ' ' && c != '\t' && c != '\r' && c != '\n';
}

/* Pass on the plain bytes that LEN bytes at DATA begin with; return their
 * number. */
static size_t
put_plain(struct smtpd_dkim_body *b, const char *data, size_t len)
{
	size_t n = 1;

	while (n < len && is_plain(data[n]))
		n++;
	/* The empty lines were not the last ones. */
	for (; b->empty > 0 && !b->failed; b->empty--)
		put_body(b, "\r\n", 2);
	if (b->space)
		put_body(b, " ", 1);
	put_body(b, data, n);
	b->space = false;
	b->in_line = true;
	return n;
}

int
smtpd__dkim_canon_body_feed(
    struct smtpd_dkim_body *b, const char *data, size_t len)
{
	while (len > 0 && !b->failed) {
		size_t n = 1;
		bool after_cr = b->after_cr;

		b->after_cr = *data == '\r';
		if (is_plain(*data))
			n = put_plain(b, data, len);
		else if (smtpd__text_is_white(*data))
			b->space = true;
		else if (*data == '\r' || !after_cr)
			end_line(b);
		data += n;
		len -= n;
	}
	return b->failed ? -1 : 0;
}

int
smtpd__dkim_canon_body_end(struct smtpd_dkim_body *b)
{
	if (b->in_line)
		end_line(b);
	flush_out(b);
	return b->failed ? -1 : 0;
}

void
smtpd__dkim_canon_field_init(
    struct smtpd_dkim_field *f, smtpd_sink_fn *sink, void *user)
{
	*f = (struct smtpd_dkim_field){ .sink = sink, .user = user };
}

static void
put_byte(struct smtpd_dkim_field *f, char c)
{
	if (!f->failed && f->sink(f->user, &c, 1) != 0)
		f->failed = true;
}

int
smtpd__dkim_canon_field_feed(
    struct smtpd_dkim_field *f, const char *data, size_t len)
{
	for (size_t i = 0; i < len && !f->failed; i++) {
		char c = data[i];

		if (c == '\r' || c == '\n')
			continue;
		if (smtpd__text_is_white(c)) {
			f->space = true;
			continue;
		}
		if (!f->named && c == ':') {
			put_byte(f, c);
			f->named = true;
			f->space = f->begun = false;
			continue;
		}
		if (f->space && f->begun)
			put_byte(f, ' ');
		put_byte(f, f->named ? c : (char)smtpd__text_to_lower(c));
		f->space = false;
		f->begun = true;
	}
	return f->failed ? -1 : 0;
}
