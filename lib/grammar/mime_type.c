/* SPDX-License-Identifier: MIT */
#include "grammar/mime_type.h"

#include <string.h>

#include "grammar/cursor.h"

/* A piece of text. */
struct token {
	const char *at;
	size_t len;
};

/* comment = "(" *([FWS] ccontent) [FWS] ")" (RFC 5322, 3.2.2); one that has no
 * end goes on to that of the value. */
static void
skip_comment(struct smtpd_cursor *c)
{
	size_t depth = 0;

	do {
		if (smtpd_cursor_take(c, '(')) {
			depth++;
			continue;
		}
		if (smtpd_cursor_take(c, ')')) {
			depth--;
			continue;
		}
		smtpd_cursor_take(c, '\\');
		if (c->at < c->end)
			c->at++;
	} while (depth > 0 && c->at < c->end);
}

static void
skip_blank(struct smtpd_cursor *c)
{
	for (;;) {
		if (smtpd_cursor_peek(c) == '(')
			skip_comment(c);
		else if (smtpd__text_is_white(smtpd_cursor_peek(c)))
			c->at++;
		else
			return;
	}
}

/* A token, and whatever else is written in the place of one: up to a blank, a
 * comment, or one of ENDS. */
static struct token
read_token(struct smtpd_cursor *c, const char *ends)
{
	struct token t = { c->at, 0 };

	for (; c->at < c->end; c->at++) {
		int byte = smtpd_cursor_peek(c);

		if (byte == '(' || smtpd__text_is_white(byte) ||
		    (byte != '\0' && strchr(ends, byte) != NULL))
			break;
	}
	t.len = (size_t)(c->at - t.at);
	return t;
}

static bool
is_token(const struct token *t, const char *word)
{
	return t->len == strlen(word) &&
	    smtpd__text_same_bytes(t->at, word, t->len);
}

/* Read the value of a boundary, a quoted string or a token, to OUT.  Of one
 * that is too long, or ends in blanks alone, nothing is left. */
static void
read_boundary(struct smtpd_cursor *c, struct smtpd_mime_type *out)
{
	bool quoted = smtpd_cursor_take(c, '"');
	struct token t;
	size_t len = 0;

	if (!quoted) {
		t = read_token(c, ";");
		if (t.len <= sizeof(out->boundary)) {
			memcpy(out->boundary, t.at, t.len);
			len = t.len;
		}
		out->boundary_len = len;
		return;
	}
	while (c->at < c->end && !smtpd_cursor_take(c, '"')) {
		smtpd_cursor_take(c, '\\');
		if (c->at == c->end)
			break;
		if (len == sizeof(out->boundary))
			return;
		out->boundary[len++] = *c->at++;
	}
	while (len > 0 && smtpd__text_is_white(out->boundary[len - 1]))
		len--;
	out->boundary_len = len;
}

/* Skip the value of a parameter that does not matter. */
static void
skip_value(struct smtpd_cursor *c)
{
	if (!smtpd_cursor_take(c, '"')) {
		read_token(c, ";");
		return;
	}
	while (c->at < c->end && !smtpd_cursor_take(c, '"')) {
		smtpd_cursor_take(c, '\\');
		if (c->at < c->end)
			c->at++;
	}
}

/* Find the first boundary among the parameters: *(";" parameter). */
static void
find_boundary(struct smtpd_cursor *c, struct smtpd_mime_type *out)
{
	while (c->at < c->end) {
		struct token name;

		skip_blank(c);
		if (smtpd_cursor_take(c, ';'))
			continue;
		name = read_token(c, ";=");
		skip_blank(c);
		if (!smtpd_cursor_take(c, '='))
			continue;
		skip_blank(c);
		if (is_token(&name, "boundary")) {
			read_boundary(c, out);
			return;
		}
		skip_value(c);
	}
}

/* What SUB, the type of a message/, may have: no encoding, but for the types
 * that came with SMTPUTF8. */
static enum smtpd_mime_kind
message_kind(const struct token *sub)
{
	if (is_token(sub, "rfc822"))
		return SMTPD_MIME_MESSAGE;
	if (is_token(sub, "global"))
		return SMTPD_MIME_OTHER;
	return sub->len > 7 && smtpd__text_same_bytes(sub->at, "global-", 7)
	    ? SMTPD_MIME_TEXT
	    : SMTPD_MIME_FIXED;
}

static enum smtpd_mime_kind
multipart_kind(const struct token *sub)
{
	if (is_token(sub, "signed") || is_token(sub, "encrypted"))
		return SMTPD_MIME_FIXED;
	return is_token(sub, "digest") ? SMTPD_MIME_DIGEST
				       : SMTPD_MIME_MULTIPART;
}

void
smtpd__mime_type_parse(
    const char *value, size_t len, struct smtpd_mime_type *out)
{
	struct smtpd_cursor c = { value, value + len };
	struct token type, sub;

	*out = (struct smtpd_mime_type){ .kind = SMTPD_MIME_TEXT };
	skip_blank(&c);
	type = read_token(&c, "/;");
	skip_blank(&c);
	if (type.len == 0 || !smtpd_cursor_take(&c, '/'))
		return;
	skip_blank(&c);
	sub = read_token(&c, ";");
	if (is_token(&type, "text"))
		return;
	out->kind = SMTPD_MIME_OTHER;
	if (is_token(&type, "message"))
		out->kind = message_kind(&sub);
	if (!is_token(&type, "multipart"))
		return;
	out->kind = multipart_kind(&sub);
	if (out->kind == SMTPD_MIME_FIXED)
		return;
	find_boundary(&c, out);
	if (out->boundary_len == 0)
		out->kind = SMTPD_MIME_FIXED;
}

enum smtpd_mime_encoding
smtpd__mime_type_encoding(const char *value, size_t len)
{
	static const struct {
		const char *name;
		enum smtpd_mime_encoding encoding;
	} names[] = {
		{ "", SMTPD_MIME_7BIT },
		{ "7bit", SMTPD_MIME_7BIT },
		{ "8bit", SMTPD_MIME_8BIT },
		{ "binary", SMTPD_MIME_8BIT },
		{ "quoted-printable", SMTPD_MIME_QUOTED_PRINTABLE },
		{ "base64", SMTPD_MIME_BASE64 },
	};
	struct smtpd_cursor c = { value, value + len };
	struct token t;

	skip_blank(&c);
	t = read_token(&c, ";");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_token(&t, names[i].name))
			return names[i].encoding;
	}
	return SMTPD_MIME_UNKNOWN;
}
