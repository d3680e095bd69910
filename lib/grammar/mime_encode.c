/* SPDX-License-Identifier: MIT */
#include "grammar/mime_encode.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "grammar/quoted_printable.h"

/* Characters of a line. */
#define WIDTH 76

void
smtpd__mime_encode_init(struct smtpd_mime_encoder *e,
    enum smtpd_mime_action action, smtpd_sink_fn *sink, void *user)
{
	e->sink = sink;
	e->user = user;
	e->action = action;
	e->failed = false;
	e->column = e->held_len = e->len = 0;
	smtpd__quoted_printable_init(&e->quoted, sink, user);
}

static void
flush_out(struct smtpd_mime_encoder *e)
{
	if (e->len > 0 && !e->failed && e->sink(e->user, e->out, e->len) != 0)
		e->failed = true;
	e->len = 0;
}

static void
write_bytes(struct smtpd_mime_encoder *e, const char *s, size_t len)
{
	if (len > sizeof(e->out) - e->len)
		flush_out(e);
	memcpy(e->out + e->len, s, len);
	e->len += len;
}

static void
write_base64(struct smtpd_mime_encoder *e, char c)
{
	if (e->column == WIDTH) {
		write_bytes(e, "\r\n", 2);
		e->column = 0;
	}
	write_bytes(e, &c, 1);
	e->column++;
}

/* Write the group that is held. */
static void
write_group(struct smtpd_mime_encoder *e)
{
	char group[SMTPD_BASE64_LEN(sizeof(e->held)) + 1];
	struct smtpd_text t;

	smtpd__text_init(&t, group, sizeof(group));
	smtpd__base64_encode(&t, e->held, e->held_len);
	for (size_t i = 0; i < t.len; i++)
		write_base64(e, group[i]);
	e->held_len = 0;
}

static void
encode_base64(struct smtpd_mime_encoder *e, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		e->held[e->held_len++] = data[i];
		if (e->held_len == sizeof(e->held))
			write_group(e);
	}
}

/* Readers ignore all that is not of the alphabet (RFC 2045, 6.8). */
static void
mend_base64(struct smtpd_mime_encoder *e, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (smtpd__text_is_alnum((unsigned char)c) || c == '+' ||
		    c == '/' || c == '=')
			write_base64(e, c);
	}
}

/* Write what stands for one byte, behind a soft line break if there is no room
 * for it and for one. */
static void
write_quoted(struct smtpd_mime_encoder *e, const char *s, size_t len)
{
	if (e->column + len > WIDTH - 1) {
		write_bytes(e, "=\r\n", 3);
		e->column = 0;
	}
	write_bytes(e, s, len);
	e->column += len;
}

static void
write_escaped(struct smtpd_mime_encoder *e, char c)
{
	char s[3];

	smtpd__quoted_printable_escape(c, s);
	write_quoted(e, s, sizeof(s));
}

/* Write a byte that no "=" is before.  A line that begins with "-" could be
 * taken for a boundary, now that it is another. */
static void
mend_byte(struct smtpd_mime_encoder *e, char c)
{
	if (c == '\r' || c == '\n') {
		write_bytes(e, &c, 1);
		if (c == '\n')
			e->column = 0;
		return;
	}
	if ((unsigned char)c > 127)
		write_escaped(e, c);
	else if (c == '-' && (e->column == 0 || e->column == WIDTH - 1))
		write_escaped(e, c);
	else
		write_quoted(e, &c, 1);
}

static bool
is_hex(char c)
{
	return smtpd__text_is_digit((unsigned char)c) ||
	    (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Write the "=" that is held, and what follows, now that it is clear that they
 * are no byte: the "=" is a soft line break, or stands for itself. */
static void
release_quoted(struct smtpd_mime_encoder *e, bool is_break)
{
	if (is_break)
		write_bytes(e, "=", 1);
	else
		write_escaped(e, '=');
	for (size_t i = 1; i < e->held_len; i++)
		mend_byte(e, e->held[i]);
	e->held_len = 0;
}

static void
mend_quoted(struct smtpd_mime_encoder *e, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (e->held_len > 0 && is_hex(c)) {
			e->held[e->held_len++] = c;
			if (e->held_len == sizeof(e->held)) {
				write_quoted(e, e->held, e->held_len);
				e->held_len = 0;
			}
			continue;
		}
		if (e->held_len > 0)
			release_quoted(e,
			    e->held_len == 1 &&
				(c == '\r' || smtpd__text_is_white(c)));
		if (c == '=')
			e->held[e->held_len++] = c;
		else
			mend_byte(e, c);
	}
}

int
smtpd__mime_encode_feed(
    struct smtpd_mime_encoder *e, const char *data, size_t len)
{
	switch (e->action) {
	case SMTPD_MIME_QUOTE:
		return smtpd__quoted_printable_feed(&e->quoted, data, len);
	case SMTPD_MIME_ENCODE:
		encode_base64(e, data, len);
		break;
	case SMTPD_MIME_MEND_QUOTED:
		mend_quoted(e, data, len);
		break;
	case SMTPD_MIME_MEND_BASE64:
		mend_base64(e, data, len);
		break;
	default:
		return e->sink(e->user, data, len);
	}
	return e->failed ? -1 : 0;
}

int
smtpd__mime_encode_end(struct smtpd_mime_encoder *e, bool *open)
{
	*open = false;
	if (e->action == SMTPD_MIME_QUOTE)
		return smtpd__quoted_printable_end(&e->quoted);
	if (e->held_len > 0 && e->action == SMTPD_MIME_ENCODE)
		write_group(e);
	if (e->held_len > 0)
		release_quoted(e, e->held_len == 1);
	*open = e->column > 0;
	flush_out(e);
	return e->failed ? -1 : 0;
}
