/* SPDX-License-Identifier: MIT */
#include "grammar/mime_convert.h"

#include <string.h>

static void
put(struct smtpd_mime_convert *c, const char *data, size_t len)
{
	if (len > 0 && !c->failed && c->sink(c->user, data, len) != 0)
		c->failed = true;
}

static void
put_text(struct smtpd_mime_convert *c, const char *text)
{
	put(c, text, strlen(text));
}

/* The plan of the present part. */
static unsigned
get_part(const struct smtpd_mime_convert *c)
{
	size_t part = c->scan.part;

	return part < SMTPD_MIME_PARTS_MAX ? c->plan->parts[part]
					   : SMTPD_MIME_KEEP;
}

static enum smtpd_mime_action
get_action(const struct smtpd_mime_convert *c)
{
	unsigned part = get_part(c);
	enum smtpd_mime_action action = part & SMTPD_MIME_ACTIONS;

	return action == SMTPD_MIME_RELABEL &&
		(part & SMTPD_MIME_RAW_HEADER) != 0
	    ? SMTPD_MIME_KEEP
	    : action;
}

/* The encoding that ACTION brings; NULL: that which is there. */
static const char *
encoding_name(enum smtpd_mime_action action)
{
	static const char *const names[SMTPD_MIME_ACTIONS] = {
		[SMTPD_MIME_RELABEL] = "7bit",
		[SMTPD_MIME_QUOTE] = "quoted-printable",
		[SMTPD_MIME_ENCODE] = "base64",
	};

	return names[action];
}

/* Field by field: the label that another comes in place of is left out. */
static void
put_field(struct smtpd_mime_convert *c, enum smtpd_mime_piece piece,
    const char *data, size_t len)
{
	if (piece == SMTPD_MIME_FIELD)
		c->dropping = c->scan.field == SMTPD_MIME_FIELD_ENCODING &&
		    encoding_name(get_action(c)) != NULL;
	if (!c->dropping)
		put(c, data, len);
}

/* Add what the header lacks. */
static void
put_labels(struct smtpd_mime_convert *c)
{
	const struct smtpd_mime_scan *s = &c->scan;
	const unsigned part = get_part(c);
	const char *encoding = encoding_name(get_action(c));

	if (s->is_message && !s->has_version &&
	    (encoding != NULL || (part & SMTPD_MIME_CHANGED) != 0))
		put_text(c, "MIME-Version: 1.0\r\n");
	if (encoding == NULL)
		return;
	if (s->type.unlabelled && get_action(c) != SMTPD_MIME_RELABEL)
		put_text(c,
		    (part & SMTPD_MIME_UTF8) != 0
			? "Content-Type: text/plain; charset=utf-8\r\n"
			: "Content-Type: text/plain; "
			  "charset=unknown-8bit\r\n");
	put_text(c, "Content-Transfer-Encoding: ");
	put_text(c, encoding);
	put_text(c, "\r\n");
}

static int
put_encoded(void *user, const void *data, size_t len)
{
	struct smtpd_mime_convert *c = user;

	put(c, data, len);
	return c->failed ? -1 : 0;
}

/* The body of a part without parts follows, or filler. */
static void
end_header(struct smtpd_mime_convert *c, const char *data, size_t len)
{
	enum smtpd_mime_action action = get_action(c);

	put_labels(c);
	put(c, data, len);
	/* What ended the header may look like a field when it is encoded; and
	 * fields may be added to the header of a message in it. */
	if (len == 0 &&
	    (action > SMTPD_MIME_RELABEL ||
		(c->scan.type.kind == SMTPD_MIME_MESSAGE &&
		    (get_part(c) & SMTPD_MIME_CHANGED) != 0)))
		put_text(c, "\r\n");
	smtpd__mime_encode_init(&c->encoder,
	    action > SMTPD_MIME_RELABEL ? action : SMTPD_MIME_KEEP, put_encoded,
	    c);
	c->column = 0;
}

/* A line that begins with "-" could be taken for a boundary, now that it is
 * another. */
static void
put_filler(struct smtpd_mime_convert *c, const char *data, size_t len)
{
	c->line_open = false;
	for (size_t i = 0; i < len; i++) {
		char byte = data[i];

		if ((unsigned char)byte > 127 && !c->plan->eight_bit)
			byte = '?';
		if (c->column == SMTPD_MIME_WIDTH_MAX && byte != '\r' &&
		    byte != '\n') {
			put_text(c, "\r\n ");
			c->column = 1;
		}
		if (c->column == 0 && byte == '-') {
			put_text(c, " ");
			c->column = 1;
		}
		put(c, &byte, 1);
		if (byte == '\n')
			c->column = 0;
		else if (byte != '\r')
			c->column++;
	}
}

static void
convert_piece(
    void *user, enum smtpd_mime_piece piece, const char *data, size_t len)
{
	struct smtpd_mime_convert *c = user;

	switch (piece) {
	case SMTPD_MIME_FIELD:
	case SMTPD_MIME_FIELD_MORE:
		put_field(c, piece, data, len);
		break;
	case SMTPD_MIME_HEADER_END:
		end_header(c, data, len);
		break;
	case SMTPD_MIME_BODY:
		if (smtpd__mime_encode_feed(&c->encoder, data, len) == -1)
			c->failed = true;
		break;
	case SMTPD_MIME_BODY_END:
		if (smtpd__mime_encode_end(&c->encoder, &c->line_open) == -1)
			c->failed = true;
		break;
	case SMTPD_MIME_FILLER:
		put_filler(c, data, len);
		break;
	case SMTPD_MIME_DELIMITER:
		put(c, data, len);
		c->column = 0;
		c->line_open = false;
		break;
	}
}

void
smtpd__mime_convert_init(struct smtpd_mime_convert *c,
    const struct smtpd_mime_plan *plan, smtpd_sink_fn *sink, void *user)
{
	c->plan = plan;
	c->sink = sink;
	c->user = user;
	c->failed = c->dropping = c->line_open = false;
	c->column = 0;
	smtpd__mime_scan_init(&c->scan, convert_piece, c);
}

int
smtpd__mime_convert_feed(
    struct smtpd_mime_convert *c, const char *data, size_t len)
{
	smtpd__mime_scan_feed(&c->scan, data, len);
	return c->failed ? -1 : 0;
}

int
smtpd__mime_convert_end(struct smtpd_mime_convert *c)
{
	smtpd__mime_scan_end(&c->scan);
	if (c->line_open)
		put_text(c, "\r\n");
	c->line_open = false;
	return c->failed ? -1 : 0;
}
