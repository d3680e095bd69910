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

/* The value of a parameter, with room for one that is encoded. */
struct value {
	bool too_long;
	size_t len;
	char text[3 * SMTPD_MIME_BOUNDARY_MAX + 64];
};

/* Read a value, a quoted string or a token. */
static void
read_value(struct smtpd_cursor *c, struct value *v)
{
	struct token t;

	v->too_long = false;
	v->len = 0;
	if (!smtpd_cursor_take(c, '"')) {
		t = read_token(c, ";");
		v->too_long = t.len > sizeof(v->text);
		v->len = v->too_long ? 0 : t.len;
		memcpy(v->text, t.at, v->len);
		return;
	}
	while (c->at < c->end && !smtpd_cursor_take(c, '"')) {
		smtpd_cursor_take(c, '\\');
		if (c->at == c->end)
			break;
		if (v->len == sizeof(v->text)) {
			v->too_long = true;
			return;
		}
		v->text[v->len++] = *c->at++;
	}
}

/* Decode an extended value: "%" and two digits are an octet, and what precedes
 * the second "'", if FIRST, is its character set and language (RFC 2231, 4). */
static void
decode_value(struct value *v, bool first)
{
	size_t from = 0, to = 0;

	for (int marks = 0; first && marks < 2 && from < v->len; from++)
		marks += v->text[from] == '\'';
	while (from < v->len) {
		int byte =
		    smtpd__text_percent(v->text + from, v->text + v->len);

		v->text[to++] = byte >= 0 ? (char)byte : v->text[from];
		from += byte >= 0 ? 3 : 1;
	}
	v->len = to;
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

/* The number of a section that stands for a boundary in one piece; none. */
#define WHOLE    (-1)
#define NO_PIECE (-2)

/* Which section of a boundary a parameter called NAME is: "boundary" is all of
 * it, "boundary*1" the second one (RFC 2231, 3).  *EXTENDED: its value is
 * encoded, as another "*" says (RFC 2231, 4). */
static int
section_of(const struct token *name, bool *extended)
{
	static const char word[] = "boundary";
	const char *at = name->at + sizeof(word) - 1;
	const char *end = name->at + name->len;
	int section = 0;

	*extended = false;
	if (name->len < sizeof(word) - 1 ||
	    !smtpd__text_same_bytes(name->at, word, sizeof(word) - 1))
		return NO_PIECE;
	if (at == end)
		return WHOLE;
	*extended = end[-1] == '*';
	end -= *extended;
	if (at == end)
		return 0;
	if (*at++ != '*' || at >= end || end - at > 2)
		return NO_PIECE;
	for (; at < end; at++) {
		if (!smtpd__text_is_digit(*at))
			return NO_PIECE;
		section = 10 * section + (*at - '0');
	}
	return section;
}

/* Append SECTION of the boundary, which the cursor is at, to OUT.  Return false
 * if it is too long. */
static bool
append_section(struct smtpd_cursor *c, int section, bool extended,
    struct smtpd_mime_type *out)
{
	struct value v;

	read_value(c, &v);
	if (extended)
		decode_value(&v, section == 0);
	if (v.too_long || v.len > sizeof(out->boundary) - out->boundary_len)
		return false;
	memcpy(out->boundary + out->boundary_len, v.text, v.len);
	out->boundary_len += v.len;
	return true;
}

/* Find the first parameter, of *(";" parameter), that is SECTION of a boundary,
 * and append it to OUT.  Return false if there is none, or one that is too
 * long: nothing is left then. */
static bool
find_section(struct smtpd_cursor c, int section, struct smtpd_mime_type *out)
{
	while (c.at < c.end) {
		struct token name;
		bool extended;

		skip_blank(&c);
		if (smtpd_cursor_take(&c, ';'))
			continue;
		name = read_token(&c, ";=");
		skip_blank(&c);
		if (!smtpd_cursor_take(&c, '='))
			continue;
		skip_blank(&c);
		if (section_of(&name, &extended) != section) {
			skip_value(&c);
			continue;
		}
		if (append_section(&c, section, extended, out))
			return true;
		out->boundary_len = 0;
		return false;
	}
	return false;
}

/* Find the boundary among the parameters.  Blanks at its end are none of it. */
static void
find_boundary(const struct smtpd_cursor *c, struct smtpd_mime_type *out)
{
	if (!find_section(*c, WHOLE, out))
		for (int i = 0; find_section(*c, i, out); i++)
			continue;
	while (out->boundary_len > 0 &&
	    smtpd__text_is_white(out->boundary[out->boundary_len - 1]))
		out->boundary_len--;
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
	out->sealed = out->kind == SMTPD_MIME_FIXED;
	if (out->sealed)
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
