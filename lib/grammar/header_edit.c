/* SPDX-License-Identifier: MIT */
#include "grammar/header_edit.h"

#include <string.h>

void
smtpd__header_edit_init(struct smtpd_header_edit *e,
    const struct smtpd_header_wants *wants, smtpd_sink_fn *sink, void *user)
{
	memset(e, 0, sizeof(*e));
	e->wants = *wants;
	e->sink = sink;
	e->user = user;
	smtpd__fields_init(&e->fields);
	smtpd__header_info_init(&e->info);
}

static void
put(struct smtpd_header_edit *e, const char *data, size_t len)
{
	if (e->failed || len == 0)
		return;
	if (e->sink(e->user, data, len) != 0)
		e->failed = true;
	e->line_open = data[len - 1] != '\n';
	if (!e->over)
		e->header_len += len;
}

static void
put_field(struct smtpd_header_edit *e, const char *name, const char *value)
{
	put(e, name, strlen(name));
	put(e, value, strlen(value));
	put(e, "\r\n", 2);
}

static void
end_header(struct smtpd_header_edit *e)
{
	if (e->line_open)
		put(e, "\r\n", 2);
	if (!e->info.date && e->wants.date != NULL)
		put_field(e, "Date: ", e->wants.date);
	if (!e->info.message_id && e->wants.message_id != NULL)
		put_field(e, "Message-ID: ", e->wants.message_id);
}

static bool
is_unwanted(const struct smtpd_header_edit *e, const struct smtpd_piece *p)
{
	if (smtpd__fields_is_named(p, "Return-Path"))
		return true;
	return e->wants.drop_bcc &&
	    (smtpd__fields_is_named(p, "Bcc") ||
		smtpd__fields_is_named(p, "Resent-Bcc"));
}

static int
put_edited(void *user, const void *data, size_t len)
{
	struct smtpd_header_edit *e = user;

	put(e, data, len);
	return e->failed ? -1 : 0;
}

/* A field is over. */
static void
end_field(struct smtpd_header_edit *e)
{
	if (e->kind != SMTPD_ADDRESS_FIELD_NONE)
		smtpd__address_field_end(&e->addresses);
	e->kind = SMTPD_ADDRESS_FIELD_NONE;
}

static void
begin_field(struct smtpd_header_edit *e, const struct smtpd_piece *p)
{
	e->dropping = is_unwanted(e, p);
	if (e->dropping)
		return;
	put(e, p->data, p->len);
	if (e->wants.domains.domain == NULL)
		return;
	e->kind = smtpd__address_field_kind(p);
	if (e->kind != SMTPD_ADDRESS_FIELD_NONE)
		smtpd__address_field_begin(
		    &e->addresses, &e->wants.domains, e->kind, put_edited, e);
}

static void
put_value(struct smtpd_header_edit *e, const struct smtpd_piece *p)
{
	if (e->kind != SMTPD_ADDRESS_FIELD_NONE)
		smtpd__address_field_feed(&e->addresses, p->data, p->len);
	else if (!e->dropping)
		put(e, p->data, p->len);
}

static void
put_piece(struct smtpd_header_edit *e, const struct smtpd_piece *p)
{
	switch (p->part) {
	case SMTPD_FIELDS_NAME:
		end_field(e);
		begin_field(e, p);
		break;
	case SMTPD_FIELDS_VALUE:
		put_value(e, p);
		break;
	case SMTPD_FIELDS_END:
		end_field(e);
		end_header(e);
		put(e, "\r\n", 2);
		e->over = true;
		break;
	case SMTPD_FIELDS_BODY:
		put(e, p->data, p->len);
		break;
	case SMTPD_FIELDS_NONE:
		break;
	}
}

/* Whether the LEN bytes at S begin with PREFIX and a byte that a field does not
 * go on with: "From :" is one (RFC 5322, 4.5).  *OPEN: more must be known. */
static bool
is_mailbox_line(const char *s, size_t len, const char *prefix, bool *open)
{
	size_t want = strlen(prefix);

	if (memcmp(s, prefix, len < want ? len : want) != 0)
		return false;
	if (len > want)
		return strchr(" \t:", s[want]) == NULL;
	*open = true;
	return false;
}

/* How much of what the message starts with is dropped: 0, a byte order mark,
 * or, with *LINE, all of the line.  -1: more of it must be known. */
static int
judge_start(const struct smtpd_header_edit *e, bool *line)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t skip = 0;
	bool open =
	    e->start_len < 3 && memcmp(e->start, mark, e->start_len) == 0;
	const char *rest;
	size_t len;

	if (e->start_len >= 3 && memcmp(e->start, mark, 3) == 0)
		skip = 3;
	rest = e->start + skip;
	len = e->start_len - skip;
	*line = is_mailbox_line(rest, len, "From ", &open) ||
	    is_mailbox_line(rest, len, ">From ", &open);
	return open ? -1 : (int)skip;
}

static int
feed_message(struct smtpd_header_edit *e, const char *data, size_t len)
{
	struct smtpd_piece p;

	while (smtpd__fields_next(&e->fields, &data, &len, &p) !=
	    SMTPD_FIELDS_NONE) {
		smtpd__header_info_add(&e->info, &p);
		put_piece(e, &p);
	}
	return e->failed ? -1 : 0;
}

/* Pass on the start of the message, but for SKIP bytes. */
static int
feed_start(struct smtpd_header_edit *e, size_t skip)
{
	e->stage = SMTPD_EDIT_MESSAGE;
	return feed_message(e, e->start + skip, e->start_len - skip);
}

int
smtpd__header_edit_feed(
    struct smtpd_header_edit *e, const char *data, size_t len)
{
	const char *lf;

	while (e->stage == SMTPD_EDIT_START && len > 0) {
		bool line = false;
		int skip;

		e->start[e->start_len++] = *data;
		skip = judge_start(e, &line);
		if (line) {
			e->stage = SMTPD_EDIT_MAILBOX_LINE;
			break;
		}
		data++;
		len--;
		if (skip != -1 && feed_start(e, (size_t)skip) == -1)
			return -1;
	}
	if (e->stage == SMTPD_EDIT_MAILBOX_LINE) {
		lf = memchr(data, '\n', len);
		if (lf == NULL)
			return 0;
		len -= (size_t)(lf + 1 - data);
		data = lf + 1;
		e->stage = SMTPD_EDIT_MESSAGE;
	}
	return e->stage == SMTPD_EDIT_MESSAGE ? feed_message(e, data, len) : 0;
}

int
smtpd__header_edit_end(struct smtpd_header_edit *e)
{
	if (e->stage == SMTPD_EDIT_START)
		feed_start(e, 0);
	smtpd__fields_close(&e->fields);
	feed_message(e, "", 0);
	smtpd__header_info_end(&e->info);
	end_field(e);
	if (!e->over)
		end_header(e);
	e->over = true;
	return e->failed ? -1 : 0;
}
