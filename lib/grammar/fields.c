/* SPDX-License-Identifier: MIT */
#include "grammar/fields.h"

#include <string.h>

#include "base/text.h"

enum fields_state {
	AT_START, /* of a line of the header, perhaps some bytes into it */
	IN_VALUE,
	NO_FIELD, /* the header is over, and what is held is the body's */
	IN_BODY,
};

/* What a line is. */
enum line_kind {
	LINE_OPEN, /* not to be said yet */
	LINE_EMPTY,
	LINE_FIELD,
	LINE_OTHER,
};

void
smtpd__fields_init(struct smtpd_fields *f)
{
	f->state = AT_START;
	f->closed = false;
	f->continued = false;
	f->held = 0;
}

void
smtpd__fields_close(struct smtpd_fields *f)
{
	f->closed = true;
}

/* ftext: printable but for ":" */
static bool
is_name(char c)
{
	return c > ' ' && c <= '~' && c != ':';
}

/*
 * What the line that begins with the bytes that are held and C is:
 * field = field-name *WSP ":" unstructured CRLF (RFC 5322, 3.6.8;
 * RFC 5322, 4.5)
 */
static enum line_kind
read_byte(const struct smtpd_fields *f, char c)
{
	char before = f->held > 0 ? f->name[f->held - 1] : '\0';

	if (c == '\n' && (f->held == 0 || before == '\r'))
		return LINE_EMPTY;
	if (before == '\r' || f->held == sizeof(f->name))
		return LINE_OTHER;
	if (c == ':' && f->held > 0)
		return LINE_FIELD;
	if (is_name(c) && !smtpd__text_is_white(before))
		return LINE_OPEN;
	if (f->held > 0 ? smtpd__text_is_white(c) : c == '\r')
		return LINE_OPEN;
	return LINE_OTHER;
}

/* Buffer the start of a line until its kind is known; the byte that tells it is
 * taken only if it belongs to the line. */
static enum line_kind
read_beginning(struct smtpd_fields *f, const char **in, size_t *len)
{
	while (*len > 0) {
		enum line_kind line = read_byte(f, **in);

		if (line == LINE_OTHER)
			return line;
		/* The colon too has room: see read_byte(). */
		f->name[f->held++] = **in;
		*in += 1;
		*len -= 1;
		if (line != LINE_OPEN)
			return line;
	}
	return f->closed && f->held > 0 ? LINE_OTHER : LINE_OPEN;
}

/* Give PART, what is held; it stays where it is until the next call. */
static enum smtpd_fields_part
give_held(struct smtpd_fields *f, enum smtpd_fields_part part,
    struct smtpd_piece *out)
{
	*out = (struct smtpd_piece){ part, f->name, f->held };
	f->held = 0;
	return part;
}

/* Give PART, the next N bytes of the input. */
static enum smtpd_fields_part
give(enum smtpd_fields_part part, const char **in, size_t *len, size_t n,
    struct smtpd_piece *out)
{
	*out = (struct smtpd_piece){ part, *in, n };
	*in += n;
	*len -= n;
	return part;
}

static enum smtpd_fields_part
begin_line(struct smtpd_fields *f, const char **in, size_t *len,
    struct smtpd_piece *out)
{
	switch (read_beginning(f, in, len)) {
	case LINE_OPEN:
		break;
	case LINE_EMPTY:
		f->state = IN_BODY;
		return give_held(f, SMTPD_FIELDS_END, out);
	case LINE_FIELD:
		f->state = IN_VALUE;
		f->continued = true;
		return give_held(f, SMTPD_FIELDS_NAME, out);
	case LINE_OTHER:
		f->state = NO_FIELD;
		return give(SMTPD_FIELDS_END, in, len, 0, out);
	}
	return give(SMTPD_FIELDS_NONE, in, len, 0, out);
}

enum smtpd_fields_part
smtpd__fields_next(struct smtpd_fields *f, const char **in, size_t *len,
    struct smtpd_piece *out)
{
	const char *lf;

	if (f->state == NO_FIELD) {
		f->state = IN_BODY;
		if (f->held > 0)
			return give_held(f, SMTPD_FIELDS_BODY, out);
	}
	if (f->state == AT_START && f->held == 0 && f->continued && *len > 0 &&
	    smtpd__text_is_white(**in))
		f->state = IN_VALUE;
	if (f->state == AT_START)
		return begin_line(f, in, len, out);
	if (*len == 0)
		return give(SMTPD_FIELDS_NONE, in, len, 0, out);
	if (f->state == IN_BODY)
		return give(SMTPD_FIELDS_BODY, in, len, *len, out);
	lf = memchr(*in, '\n', *len);
	if (lf != NULL)
		f->state = AT_START;
	return give(SMTPD_FIELDS_VALUE, in, len,
	    lf != NULL ? (size_t)(lf + 1 - *in) : *len, out);
}

size_t
smtpd__fields_name_len(const struct smtpd_piece *p)
{
	size_t len = p->len - 1;

	while (smtpd__text_is_white(p->data[len - 1]))
		len--;
	return len;
}

bool
smtpd__fields_is_named(const struct smtpd_piece *p, const char *name)
{
	size_t len;

	if (p->part != SMTPD_FIELDS_NAME)
		return false;
	len = smtpd__fields_name_len(p);
	return len == strlen(name) &&
	    smtpd__text_same_bytes(p->data, name, len);
}
