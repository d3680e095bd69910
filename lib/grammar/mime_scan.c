/* SPDX-License-Identifier: MIT */
#include "grammar/mime_scan.h"

#include <string.h>

#include "base/text.h"
#include "grammar/fields.h"

/* Where the next line stands. */
enum scan_state {
	IN_HEADER,
	IN_BODY,
	IN_FILLER,
};

/* What a line in a header is. */
enum line_kind {
	LINE_FIELD,
	LINE_MORE,
	LINE_EMPTY,
	LINE_OTHER,
};

/* A boundary that ends a multipart, or is followed by a part. */
struct delimiter {
	size_t level; /* one more than that of the multipart */
	bool last;
};

static void
give(struct smtpd_mime_scan *s, enum smtpd_mime_piece piece, const char *data,
    size_t len)
{
	s->fn(s->user, piece, data, len);
}

/* Begin the header of a part, that of a message or not. */
static void
begin_part(struct smtpd_mime_scan *s, bool is_message)
{
	const struct smtpd_mime_level *in =
	    s->depth > 0 ? &s->levels[s->depth - 1] : NULL;

	s->state = IN_HEADER;
	s->part = s->parts++;
	s->is_message = is_message;
	s->has_version = s->has_encoding = s->continued = false;
	s->field = SMTPD_MIME_FIELD_OTHER;
	s->value_len = 0;
	s->type = (struct smtpd_mime_type){ .unlabelled = true };
	/* RFC 2046, 5.1.5 */
	if (in != NULL && in->type.kind == SMTPD_MIME_DIGEST)
		s->type.kind = SMTPD_MIME_MESSAGE;
	s->encoding = SMTPD_MIME_7BIT;
}

void
smtpd__mime_scan_init(
    struct smtpd_mime_scan *s, smtpd_mime_scan_fn *fn, void *user)
{
	s->fn = fn;
	s->user = user;
	s->depth = s->parts = s->end_len = s->line_len = 0;
	s->unclear = s->is_preamble = s->line_open = false;
	begin_part(s, true);
}

/* The present field is over: read it, unless there was one before. */
static void
end_field(struct smtpd_mime_scan *s)
{
	if (s->field == SMTPD_MIME_FIELD_TYPE && s->type.unlabelled)
		smtpd__mime_type_parse(s->value, s->value_len, &s->type);
	if (s->field == SMTPD_MIME_FIELD_ENCODING && !s->has_encoding) {
		s->encoding = smtpd__mime_type_encoding(s->value, s->value_len);
		s->has_encoding = true;
	}
	s->has_version = s->has_version || s->field == SMTPD_MIME_FIELD_VERSION;
	s->field = SMTPD_MIME_FIELD_OTHER;
	s->value_len = 0;
}

/* Remember what fits of a value that matters, without line ends. */
static void
hold_value(struct smtpd_mime_scan *s, const char *data, size_t len)
{
	if (s->field != SMTPD_MIME_FIELD_TYPE &&
	    s->field != SMTPD_MIME_FIELD_ENCODING)
		return;
	for (size_t i = 0; i < len && s->value_len < sizeof(s->value); i++) {
		if (data[i] != '\r' && data[i] != '\n')
			s->value[s->value_len++] = data[i];
	}
}

static enum smtpd_mime_field
field_of(const struct smtpd_piece *name)
{
	static const struct {
		const char *name;
		enum smtpd_mime_field field;
	} fields[] = {
		{ "Content-Type", SMTPD_MIME_FIELD_TYPE },
		{ "Content-Transfer-Encoding", SMTPD_MIME_FIELD_ENCODING },
		{ "MIME-Version", SMTPD_MIME_FIELD_VERSION },
		{ "DKIM-Signature", SMTPD_MIME_FIELD_SIGNATURE },
		{ "ARC-Message-Signature", SMTPD_MIME_FIELD_SIGNATURE },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (smtpd__fields_is_named(name, fields[i].name))
			return fields[i].field;
	}
	return SMTPD_MIME_FIELD_OTHER;
}

/* What the line that is held is; NAME becomes the name of its field. */
static enum line_kind
read_line(const struct smtpd_mime_scan *s, struct smtpd_fields *fields,
    struct smtpd_piece *name)
{
	const char *in = s->line;
	size_t len = s->line_len;

	if (s->continued && len > 0 && smtpd__text_is_white(*in))
		return LINE_MORE;
	smtpd__fields_init(fields);
	switch (smtpd__fields_next(fields, &in, &len, name)) {
	case SMTPD_FIELDS_NAME:
		return LINE_FIELD;
	case SMTPD_FIELDS_END:
		return name->len > 0 ? LINE_EMPTY : LINE_OTHER;
	default:
		return LINE_OTHER;
	}
}

/* Whether readers may disagree to what multipart a boundary of TYPE belongs:
 * one with the same is open. */
static bool
is_open(const struct smtpd_mime_scan *s, const struct smtpd_mime_type *type)
{
	for (size_t i = 0; i < s->depth; i++) {
		const struct smtpd_mime_type *other = &s->levels[i].type;
		size_t len = other->boundary_len;

		if (len == type->boundary_len &&
		    memcmp(other->boundary, type->boundary, len) == 0)
			return true;
	}
	return false;
}

/* The header is over, and DATA ends it: the part's kind decides about what
 * follows. */
static void
end_header(struct smtpd_mime_scan *s, const char *data, size_t len)
{
	struct smtpd_mime_type *type = &s->type;
	bool has_parts;

	end_field(s);
	/* An encoding of the whole, which RFC 2046, 5.2.1 forbids, hides what
	 * is in it. */
	if (type->kind == SMTPD_MIME_MESSAGE &&
	    s->encoding != SMTPD_MIME_7BIT && s->encoding != SMTPD_MIME_8BIT)
		type->kind = SMTPD_MIME_OTHER;
	has_parts = type->boundary_len > 0 || type->kind == SMTPD_MIME_MESSAGE;
	if (type->boundary_len > 0 && is_open(s, type))
		s->unclear = true;
	if (has_parts && s->depth == SMTPD_MIME_DEPTH_MAX) {
		s->unclear = true;
		has_parts = false;
		type->kind = SMTPD_MIME_FIXED;
	}
	give(s, SMTPD_MIME_HEADER_END, data, len);
	s->state = IN_BODY;
	if (!has_parts)
		return;
	s->levels[s->depth++] =
	    (struct smtpd_mime_level){ .part = s->part, .type = *type };
	if (type->kind == SMTPD_MIME_MESSAGE) {
		begin_part(s, true);
		return;
	}
	s->state = IN_FILLER;
	s->is_preamble = true;
}

/* Whether the line that is held is the boundary of TYPE, or its last one. */
static bool
is_boundary(const struct smtpd_mime_scan *s, const struct smtpd_mime_type *type,
    bool *last)
{
	size_t at = 2 + type->boundary_len, len = s->line_len;

	if (type->boundary_len == 0 || len < at ||
	    memcmp(s->line + 2, type->boundary, type->boundary_len) != 0)
		return false;
	*last = len >= at + 2 && memcmp(s->line + at, "--", 2) == 0;
	if (*last)
		at += 2;
	while (at < len && strchr(" \t\r\n", s->line[at]) != NULL &&
	    s->line[at] != '\0')
		at++;
	return at == len;
}

/* Find the level whose boundary the line that is held is. */
static bool
find_delimiter(const struct smtpd_mime_scan *s, struct delimiter *d)
{
	if (s->line_len < 2 || memcmp(s->line, "--", 2) != 0)
		return false;
	for (d->level = s->depth; d->level > 0; d->level--) {
		if (is_boundary(s, &s->levels[d->level - 1].type, &d->last))
			return true;
	}
	return false;
}

static enum smtpd_mime_piece
text_piece(const struct smtpd_mime_scan *s)
{
	return s->state == IN_BODY ? SMTPD_MIME_BODY : SMTPD_MIME_FILLER;
}

/* Give the line end that was kept back: no boundary follows. */
static void
release_end(struct smtpd_mime_scan *s)
{
	size_t len = s->end_len;

	s->end_len = 0;
	if (len > 0)
		give(s, text_piece(s), "\r\n", len);
}

/* The line that is held is D: end what is in it, and begin a part. */
static void
take_delimiter(struct smtpd_mime_scan *s, const struct delimiter *d)
{
	char delimiter[2 + SMTPD_MIME_LINE_MAX] = "\r\n";
	size_t len = s->end_len;

	while (s->state == IN_HEADER)
		end_header(s, "", 0);
	if (s->state == IN_BODY)
		give(s, SMTPD_MIME_BODY_END, "", 0);
	s->end_len = 0;
	s->depth = d->level;
	memcpy(delimiter + len, s->line, s->line_len);
	give(s, SMTPD_MIME_DELIMITER, delimiter, len + s->line_len);
	s->line_len = 0;
	s->is_preamble = false;
	if (!d->last) {
		begin_part(s, false);
		return;
	}
	s->depth--;
	s->state = IN_FILLER;
}

/* The line that is held, some of it or all, is in a header.  Return false when
 * that is over, and the line is behind it. */
static bool
take_header_line(struct smtpd_mime_scan *s)
{
	struct smtpd_fields fields;
	struct smtpd_piece name;
	enum line_kind kind = read_line(s, &fields, &name);
	size_t skip = 0, len = s->line_len;

	if (kind == LINE_OTHER) {
		end_header(s, "", 0);
		return false;
	}
	s->line_len = 0;
	if (kind == LINE_EMPTY) {
		end_header(s, s->line, len);
		return true;
	}
	s->continued = true;
	if (kind == LINE_FIELD) {
		end_field(s);
		s->field = field_of(&name);
		skip = name.len;
	}
	hold_value(s, s->line + skip, len - skip);
	give(s, kind == LINE_FIELD ? SMTPD_MIME_FIELD : SMTPD_MIME_FIELD_MORE,
	    s->line, len);
	return true;
}

/* Give LEN bytes of a body or filler, but keep a line end, or the half of one,
 * back. */
static void
give_text(struct smtpd_mime_scan *s, const char *data, size_t len)
{
	size_t end = 0;

	if (s->end_len == 1 && *data == '\n') {
		s->end_len = 2;
		data++;
		len--;
	}
	if (len == 0)
		return;
	release_end(s);
	if (data[len - 1] == '\r')
		end = 1;
	else if (len > 1 && memcmp(data + len - 2, "\r\n", 2) == 0)
		end = 2;
	if (len > end)
		give(s, text_piece(s), data, len - end);
	s->end_len = end;
}

/* What the line that is held is can be said; COMPLETE: all of it is there. */
static void
judge_line(struct smtpd_mime_scan *s, bool complete)
{
	struct delimiter d;

	s->line_open = !complete;
	/* A line that is no field may follow several headers. */
	do {
		if (complete && find_delimiter(s, &d)) {
			take_delimiter(s, &d);
			return;
		}
		if (s->state != IN_HEADER) {
			give_text(s, s->line, s->line_len);
			s->line_len = 0;
			return;
		}
	} while (!take_header_line(s));
}

/* Whether more of the line that is held must be known. */
static bool
is_held(const struct smtpd_mime_scan *s)
{
	if (s->state == IN_HEADER)
		return true;
	return s->depth > 0 &&
	    memcmp(s->line, "--", s->line_len < 2 ? s->line_len : 2) == 0;
}

/* Hold the beginning of a line until it is known what it is.  Return how much
 * of LEN bytes at DATA was taken. */
static size_t
begin_line(struct smtpd_mime_scan *s, const char *data, size_t len)
{
	size_t taken = 0;
	bool complete = false;

	while (taken < len && s->line_len < sizeof(s->line) && !complete) {
		complete = data[taken] == '\n';
		s->line[s->line_len++] = data[taken++];
		if (!complete && !is_held(s)) {
			judge_line(s, false);
			return taken;
		}
	}
	if (complete || s->line_len == sizeof(s->line))
		judge_line(s, complete);
	return taken;
}

/* Give what follows in a line whose kind is known. */
static void
continue_line(struct smtpd_mime_scan *s, const char *data, size_t len)
{
	s->line_open = data[len - 1] != '\n';
	if (s->state != IN_HEADER) {
		give_text(s, data, len);
		return;
	}
	hold_value(s, data, len);
	give(s, SMTPD_MIME_FIELD_MORE, data, len);
}

void
smtpd__mime_scan_feed(struct smtpd_mime_scan *s, const char *data, size_t len)
{
	while (len > 0) {
		const char *lf;
		size_t n;

		if (s->line_open) {
			lf = memchr(data, '\n', len);
			n = lf != NULL ? (size_t)(lf + 1 - data) : len;
			continue_line(s, data, n);
		} else {
			n = begin_line(s, data, len);
		}
		data += n;
		len -= n;
	}
}

static bool
is_in_multipart(const struct smtpd_mime_scan *s)
{
	for (size_t i = 0; i < s->depth; i++)
		if (s->levels[i].type.boundary_len > 0)
			return true;
	return false;
}

void
smtpd__mime_scan_end(struct smtpd_mime_scan *s)
{
	if (s->line_len > 0)
		judge_line(s, true);
	while (s->state == IN_HEADER)
		end_header(s, "", 0);
	/* Where the last boundary is missing the line end before it is not. */
	if (!is_in_multipart(s))
		release_end(s);
	if (s->state == IN_BODY)
		give(s, SMTPD_MIME_BODY_END, "", 0);
	s->state = IN_FILLER;
	release_end(s);
}
