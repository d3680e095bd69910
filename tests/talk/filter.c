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

/* Change the header by what stands behind the kind of F: "insert AT
 * NAME:VALUE", "change NAME I VALUE", "remove NAME I". */
static void
change_header(struct smtpd_session *s, struct talk_filter *f)
{
	char name[64];
	char *end = NULL;
	const char *value = strchr(f->rest, ':');
	size_t i = (size_t)strtoul(f->rest, &end, 10);

	if (is_kind(f, "insert") && value != NULL) {
		snprintf(name, sizeof(name), "%.*s", (int)(value - f->rest),
		    f->rest);
		i = strcmp(f->word, "last") == 0
		    ? SIZE_MAX
		    : (size_t)strtoul(f->word, NULL, 10);
		check_change(
		    f, smtpd_session_insert_field(s, i, name, value + 1));
	}
	if (is_kind(f, "change"))
		check_change(f, smtpd_session_change_field(s, f->word, i, end));
	if (is_kind(f, "remove"))
		check_change(
		    f, smtpd_session_change_field(s, f->word, i, NULL));
}

/* Replace the body by WORD and REST, a line each. */
static void
replace_body(struct smtpd_session *s, struct talk_filter *f)
{
	const char *const lines[] = { f->word, f->rest };

	for (size_t i = 0; i < 2; i++) {
		check_change(f,
		    smtpd_session_replace_body(s, lines[i], strlen(lines[i])));
		check_change(f, smtpd_session_replace_body(s, "\r\n", 2));
	}
	if (is_kind(f, "keep_body"))
		smtpd_session_keep_body(s);
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
		check_change(
		    f, smtpd_session_add_rcpt_params(s, f->word, f->rest));
	if (is_kind(f, "remove_rcpt"))
		check_change(f,
		    smtpd_session_remove_rcpt(
			s, (size_t)strtoul(f->word, NULL, 10)));
	change_header(s, f);
	if (is_kind(f, "body") || is_kind(f, "keep_body"))
		replace_body(s, f);
	if (is_kind(f, "sender"))
		check_change(f, smtpd_session_set_sender(s, f->word));
	if (is_kind(f, "quarantine"))
		check_change(f, smtpd_session_quarantine(s, f->rest));
	if (is_kind(f, "discard"))
		check_change(f, smtpd_session_discard(s));
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
