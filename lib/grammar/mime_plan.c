/* SPDX-License-Identifier: MIT */
#include "grammar/mime_plan.h"

#include <string.h>

#include "base/text.h"

/* A text where more than one of so many octets is outside ASCII is shorter in
 * base64. */
#define DENSE 6

/* Add FACT to all that the present part is in. */
static void
mark_levels(struct smtpd_mime_planner *p, unsigned char fact)
{
	for (size_t i = 0; i < p->scan.depth; i++) {
		size_t part = p->scan.levels[i].part;

		if (part < SMTPD_MIME_PARTS_MAX)
			p->plan->parts[part] |= fact;
	}
}

static void
look_at_header(struct smtpd_mime_planner *p, const char *data, size_t len)
{
	if (p->scan.part == 0 && p->scan.field == SMTPD_MIME_FIELD_SIGNATURE)
		p->is_signed = true;
	if (!smtpd__text_is_ascii(data, len))
		mark_levels(p, SMTPD_MIME_RAW_HEADER);
}

static void
begin_text(struct smtpd_mime_planner *p)
{
	p->line = 0;
	p->octets = p->high = 0;
	p->has_long_line = false;
	p->utf8 = (struct smtpd_utf8_check){ .broken = false };
}

static void
end_header(struct smtpd_mime_planner *p)
{
	const struct smtpd_mime_scan *s = &p->scan;
	enum smtpd_mime_kind kind = s->type.kind;
	bool has_parts = kind == SMTPD_MIME_MULTIPART ||
	    kind == SMTPD_MIME_DIGEST || kind == SMTPD_MIME_MESSAGE;

	begin_text(p);
	if (s->part >= SMTPD_MIME_PARTS_MAX)
		p->fixed = true;
	else if (has_parts && s->encoding != SMTPD_MIME_7BIT &&
	    !p->plan->eight_bit)
		p->plan->parts[s->part] = SMTPD_MIME_RELABEL;
}

static void
look_at_text(struct smtpd_mime_planner *p, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		p->high += (unsigned char)data[i] > 127;
		if (data[i] == '\n')
			p->line = 0;
		else if (data[i] != '\r' && ++p->line > SMTPD_MIME_WIDTH_MAX)
			p->has_long_line = true;
	}
	p->octets += len;
	smtpd__utf8_check_feed(&p->utf8, data, len);
}

/* Whether the present text needs to be changed. */
static bool
needs_change(struct smtpd_mime_planner *p)
{
	const bool high = p->high > 0 && !p->plan->eight_bit;

	p->has_high = p->has_high || high;
	return p->has_long_line || high;
}

/* What is done about a body of the present part's kind that must be changed. */
static enum smtpd_mime_action
choose_action(struct smtpd_mime_planner *p)
{
	const struct smtpd_mime_scan *s = &p->scan;

	if (s->type.kind == SMTPD_MIME_FIXED) {
		p->fixed = true;
		p->sealed = p->sealed || s->type.sealed;
		return SMTPD_MIME_KEEP;
	}
	switch (s->encoding) {
	case SMTPD_MIME_7BIT:
	case SMTPD_MIME_8BIT:
		break;
	case SMTPD_MIME_QUOTED_PRINTABLE:
		return SMTPD_MIME_MEND_QUOTED;
	case SMTPD_MIME_BASE64:
		return SMTPD_MIME_MEND_BASE64;
	case SMTPD_MIME_UNKNOWN:
		p->fixed = true;
		return SMTPD_MIME_KEEP;
	}
	return s->type.kind == SMTPD_MIME_TEXT && p->high * DENSE <= p->octets
	    ? SMTPD_MIME_QUOTE
	    : SMTPD_MIME_ENCODE;
}

static void
end_body(struct smtpd_mime_planner *p)
{
	const struct smtpd_mime_scan *s = &p->scan;
	unsigned action = SMTPD_MIME_KEEP;

	if (s->part >= SMTPD_MIME_PARTS_MAX) {
		p->needed = p->needed || needs_change(p);
		return;
	}
	if (needs_change(p)) {
		p->needed = true;
		action = choose_action(p);
		mark_levels(p, SMTPD_MIME_CHANGED);
	} else if (!p->plan->eight_bit && s->encoding == SMTPD_MIME_8BIT &&
	    s->type.kind != SMTPD_MIME_FIXED) {
		action = SMTPD_MIME_RELABEL;
	}
	if (!p->utf8.broken && p->utf8.len == 0)
		action |= SMTPD_MIME_UTF8;
	p->plan->parts[s->part] |= (unsigned char)action;
}

static void
look_at_filler(struct smtpd_mime_planner *p, const char *data, size_t len)
{
	const struct smtpd_mime_scan *s = &p->scan;
	size_t part = s->depth > 0 ? s->levels[s->depth - 1].part : 0;

	look_at_text(p, data, len);
	if (!needs_change(p))
		return;
	p->needed = true;
	if (s->is_preamble && part < SMTPD_MIME_PARTS_MAX)
		p->plan->parts[part] |= SMTPD_MIME_NO_PARTS;
}

/* The innermost level has parts, so what stood before was filler. */
static void
look_at_delimiter(struct smtpd_mime_planner *p)
{
	size_t part = p->scan.levels[p->scan.depth - 1].part;

	begin_text(p);
	if (part < SMTPD_MIME_PARTS_MAX)
		p->plan->parts[part] &= (unsigned char)~SMTPD_MIME_NO_PARTS;
}

static void
look_at_piece(
    void *user, enum smtpd_mime_piece piece, const char *data, size_t len)
{
	struct smtpd_mime_planner *p = user;

	switch (piece) {
	case SMTPD_MIME_FIELD:
	case SMTPD_MIME_FIELD_MORE:
		look_at_header(p, data, len);
		break;
	case SMTPD_MIME_HEADER_END:
		end_header(p);
		break;
	case SMTPD_MIME_BODY:
		look_at_text(p, data, len);
		break;
	case SMTPD_MIME_BODY_END:
		end_body(p);
		break;
	case SMTPD_MIME_FILLER:
		look_at_filler(p, data, len);
		break;
	case SMTPD_MIME_DELIMITER:
		look_at_delimiter(p);
		break;
	}
}

void
smtpd__mime_plan_init(
    struct smtpd_mime_planner *p, struct smtpd_mime_plan *plan, bool eight_bit)
{
	memset(plan, 0, sizeof(*plan));
	plan->eight_bit = eight_bit;
	p->plan = plan;
	p->needed = p->is_signed = p->fixed = false;
	p->sealed = p->has_high = false;
	begin_text(p);
	smtpd__mime_scan_init(&p->scan, look_at_piece, p);
}

void
smtpd__mime_plan_feed(
    struct smtpd_mime_planner *p, const char *data, size_t len)
{
	smtpd__mime_scan_feed(&p->scan, data, len);
}

void
smtpd__mime_plan_end(struct smtpd_mime_planner *p)
{
	struct smtpd_mime_plan *plan = p->plan;

	smtpd__mime_scan_end(&p->scan);
	p->fixed = p->fixed || p->scan.unclear;
	/* What nothing but filler was found in may well be shown. */
	for (size_t i = 0; i < SMTPD_MIME_PARTS_MAX; i++)
		p->fixed =
		    p->fixed || (plan->parts[i] & SMTPD_MIME_NO_PARTS) != 0;
	if (!p->needed)
		plan->need = SMTPD_MIME_NEED_NOTHING;
	else if (p->is_signed)
		plan->need = SMTPD_MIME_NEED_SIGNED;
	else if (!p->fixed)
		plan->need = SMTPD_MIME_NEED_CONVERSION;
	else
		plan->need = p->sealed || !p->has_high ? SMTPD_MIME_NEED_FIXED
						       : SMTPD_MIME_NEED_BARRED;
}
