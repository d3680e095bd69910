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

static void
put_wanted(struct smtpd_header_edit *e, const struct smtpd_piece *p)
{
	if (!e->dropping)
		put(e, p->data, p->len);
}

static void
put_piece(struct smtpd_header_edit *e, const struct smtpd_piece *p)
{
	switch (p->part) {
	case SMTPD_FIELDS_NAME:
		e->dropping = is_unwanted(e, p);
		put_wanted(e, p);
		break;
	case SMTPD_FIELDS_VALUE:
		put_wanted(e, p);
		break;
	case SMTPD_FIELDS_END:
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

int
smtpd__header_edit_feed(
    struct smtpd_header_edit *e, const char *data, size_t len)
{
	struct smtpd_piece p;

	while (smtpd__fields_next(&e->fields, &data, &len, &p) !=
	    SMTPD_FIELDS_NONE) {
		smtpd__header_info_add(&e->info, &p);
		put_piece(e, &p);
	}
	return e->failed ? -1 : 0;
}

int
smtpd__header_edit_end(struct smtpd_header_edit *e)
{
	smtpd__fields_close(&e->fields);
	smtpd__header_edit_feed(e, "", 0);
	smtpd__header_info_end(&e->info);
	if (!e->over)
		end_header(e);
	e->over = true;
	return e->failed ? -1 : 0;
}
