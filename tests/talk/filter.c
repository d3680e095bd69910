/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_kind(const struct talk_filter *f, const char *kind)
{
	return strcmp(f->kind, kind) == 0;
}

/* Refuse the message where F does so at STAGE. */
static int
refuse_at(
    struct smtpd_session *s, const struct talk_filter *f, const char *stage)
{
	if (is_kind(f, "refuse") && strcmp(f->word, stage) == 0)
		return host_answer(s, f->canned, "");
	return 0;
}

/* Say that a change failed, if RESULT says so. */
static void
check_change(struct talk_filter *f, int result)
{
	struct bytes b = { 0 };

	if (result == 0)
		return;
	bytes_format(&b, "%s %s", f->kind, host_errno());
	host_saw(f->host, &b);
}

static void
peek_at(struct talk_filter *f, struct smtpd_body *body)
{
	struct bytes b = { 0 };
	char text[64];
	ssize_t n = smtpd_body_read(body, text, strlen(f->word));

	bytes_text(&b, "peek ");
	if (n > 0)
		bytes_add(&b, text, (size_t)n);
	host_saw(f->host, &b);
}

static int
on_begin(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	struct talk_filter *f = user;

	if (smtpd_session_envelope(s) != e)
		die("a filter sees another envelope");
	f->seen.len = 0;
	if (is_kind(f, "header"))
		host_show_header(f->host, body);
	if (is_kind(f, "peek"))
		peek_at(f, body);
	return refuse_at(s, f, "begin");
}

static int
on_data(struct smtpd_session *s, struct smtpd_body *body, const void *data,
    size_t len, void *user)
{
	struct talk_filter *f = user;

	(void)body;
	if (len == 0)
		die("a filter is given nothing");
	bytes_add(&f->seen, data, len);
	return refuse_at(s, f, "data");
}

static void
show_seen(struct talk_filter *f, const struct smtpd_envelope *e)
{
	struct bytes b = { 0 };

	bytes_format(&b, "%s sees ", f->word);
	bytes_add(&b, f->seen.data, f->seen.len);
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct smtpd_rcpt *rcpt = smtpd_envelope_rcpt(e, i);

		bytes_format(
		    &b, "%s<%s>", rcpt->removed ? "-" : "", rcpt->address.text);
	}
	host_saw(f->host, &b);
}

static int
on_end(struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	struct talk_filter *f = user;

	(void)body;
	if (is_kind(f, "show") || is_kind(f, "peek"))
		show_seen(f, smtpd_session_envelope(s));
	if (is_kind(f, "tag"))
		check_change(f, smtpd_session_add_field(s, f->word, f->rest));
	if (is_kind(f, "add_rcpt"))
		check_change(f, smtpd_session_add_rcpt(s, f->word));
	if (is_kind(f, "remove_rcpt"))
		check_change(f,
		    smtpd_session_remove_rcpt(
			s, (size_t)strtoul(f->word, NULL, 10)));
	return refuse_at(s, f, "end");
}

int
filter_add(struct host *h, const char *text)
{
	struct talk_filter *f = &h->filters[h->nfilters++];
	struct smtpd_filter filter = {
		SMTPD_FILTER_INIT,
		.begin = on_begin,
		.data = on_data,
		.end = on_end,
		.user = f,
	};

	if (h->nfilters == HOST_FILTERS_MAX)
		die("too many filters");
	f->host = h;
	f->rest = host_split(text, f->kind, sizeof(f->kind));
	f->rest = host_split(f->rest, f->word, sizeof(f->word));
	if (is_kind(f, "refuse"))
		f->canned = host_canned(h, f->rest);
	return smtpd_server_add_filter(h->server, &filter);
}
