/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <string.h>

#include "header.h"
#include "html.h"
#include "json.h"
#include "mime.h"

/* Bytes of the text that are searched, shown in the list, and given as JSON. */
#define SEARCH_MAX  32768
#define SNIPPET_MAX 200
#define TEXT_MAX    (4 * 1048576)

/* Addresses of the envelope and of FIELDS of the header, in folded case. */
static char **
collect_addresses(const struct message *m, const char *const *envelope,
    const char *const *fields)
{
	GPtrArray *list = g_ptr_array_new();

	for (size_t i = 0; envelope[i] != NULL; i++)
		g_ptr_array_add(list, g_strdup(envelope[i]));
	for (size_t i = 0; fields[i] != NULL; i++)
		header_addresses(m->octets, m->size, fields[i], list);
	for (guint i = 0; i < list->len; i++) {
		char *text = list->pdata[i];
		char *valid = g_utf8_make_valid(text, -1);

		list->pdata[i] = g_utf8_casefold(valid, -1);
		g_free(valid);
		g_free(text);
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* The beginning of TEXT on one line. */
static char *
make_snippet(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text != '\0' && out->len < SNIPPET_MAX;
	    text = g_utf8_find_next_char(text, NULL)) {
		gunichar c = g_utf8_get_char(text);

		if (!g_unichar_isspace(c) && !g_unichar_iscntrl(c))
			g_string_append_unichar(out, c);
		else if (out->len > 0 && out->str[out->len - 1] != ' ')
			g_string_append_c(out, ' ');
	}
	return g_strchomp(g_string_free(out, FALSE));
}

static void
add_part(GString *out, const struct mime *mime, size_t i)
{
	const struct mime_part *part = &mime->parts[i];

	json_open(out, '{');
	json_name_number(out, "part", i);
	json_name_text(out, "type", part->type);
	json_name_text(out, "name", part->name);
	json_name_text(out, "contentId", part->content_id);
	json_name(out, "inline");
	json_bool(out, part->inline_part);
	json_name_number(out, "size", mime_size(mime, i));
	json_close(out, '}');
}

static void
add_attachments(GString *out, const struct mime *mime)
{
	json_name(out, "attachments");
	json_open(out, '[');
	for (size_t i = 0; i < mime->count; i++) {
		if (i != mime->text && i != mime->html)
			add_part(out, mime, i);
	}
	json_close(out, ']');
}

static void
add_list(GString *out, const char *name, char **list)
{
	json_name(out, name);
	json_open(out, '[');
	for (size_t i = 0; list[i] != NULL; i++)
		json_text(out, list[i]);
	json_close(out, ']');
}

static void
add_envelope(GString *out, const struct arrival *a)
{
	GDateTime *time = g_date_time_new_from_unix_utc(a->time_ms / 1000);
	char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");

	json_name(out, "received");
	g_string_append_printf(
	    out, "\"%s.%03dZ\"", text, (int)(a->time_ms % 1000));
	g_free(text);
	g_date_time_unref(time);
	json_name_text(out, "sender", a->sender);
	json_name_text(out, "parameters", a->params);
	add_list(out, "recipients", a->rcpts);
	add_list(out, "recipientParameters", a->rcpt_params);
	json_name_text(out, "client", a->peer);
	json_name_text(out, "helo", a->helo);
	json_name_text(out, "tls", a->tls);
	json_name_text(out, "user", a->user);
}

/* Append what the header says to OUT, and to TEXT for queries. */
static void
add_header(GString *out, GString *text, struct message *m)
{
	static const char *const fields[][2] = {
		{ "from", "From" },
		{ "to", "To" },
		{ "cc", "Cc" },
		{ "subject", "Subject" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		char *value = header_value(m->octets, m->size, fields[i][1]);

		json_name_text(out, fields[i][0], value);
		g_string_append_printf(text, "%s\n", value);
		if (i + 1 < G_N_ELEMENTS(fields))
			g_free(value);
		else
			m->subject = value;
	}
}

static void
fold_text(char **text)
{
	char *folded = g_utf8_casefold(*text, -1);

	g_free(*text);
	*text = folded;
}

void
describe_arrival(struct message *m, const struct arrival *a)
{
	static const char *const from[] = { "From", "Sender", NULL };
	static const char *const to[] = { "To", "Cc", NULL };
	const char *const sender[] = { a->sender, NULL };
	GString *out = g_string_new(NULL), *text = g_string_new(NULL);
	struct mime mime;
	char *body, *snippet;

	mime_parse(&mime, m->octets, m->size);
	json_open(out, '{');
	json_name_text(out, "id", m->id);
	json_name_number(out, "size", m->size);
	add_envelope(out, a);
	add_header(out, text, m);
	if (mime.text == MIME_NONE && mime.html != MIME_NONE) {
		char *html = mime_text(&mime, mime.html, 4 * SEARCH_MAX);

		body = html_to_text(html);
		g_free(html);
	} else {
		body = mime_text(&mime, mime.text, SEARCH_MAX);
	}
	snippet = make_snippet(body);
	json_name_text(out, "snippet", snippet);
	add_attachments(out, &mime);
	json_close(out, '}');
	g_string_append(text, body);
	g_free(snippet);
	g_free(body);
	mime_finish(&mime);

	m->summary = g_string_free(out, FALSE);
	m->from = collect_addresses(m, sender, from);
	m->to = collect_addresses(m, (const char *const *)a->rcpts, to);
	for (size_t i = 0; m->from[i] != NULL; i++)
		g_string_append_printf(text, "\n%s", m->from[i]);
	for (size_t i = 0; m->to[i] != NULL; i++)
		g_string_append_printf(text, "\n%s", m->to[i]);
	m->text = g_string_free(text, FALSE);
	fold_text(&m->text);
	fold_text(&m->subject);
}

static void
add_fields(GString *out, const struct message *m)
{
	struct header h = header_begin(m->octets, m->size);
	struct header_field field;

	json_name(out, "headers");
	json_open(out, '[');
	for (int n = 0; n < 1000 && header_next(&h, &field); n++) {
		json_open(out, '{');
		json_name_text(out, "name", field.name);
		json_name_text(out, "value", field.value);
		json_close(out, '}');
		header_field_finish(&field);
	}
	json_close(out, ']');
}

static void
add_text(GString *out, const char *name, const struct mime *mime, size_t i)
{
	char *text = i == MIME_NONE ? NULL : mime_text(mime, i, TEXT_MAX);

	json_name_text(out, name, text);
	g_free(text);
}

void
describe_message(const struct message *m, GString *out)
{
	struct mime mime;

	/* The summary is an object: the rest goes into that. */
	g_string_append_len(out, m->summary, (gssize)strlen(m->summary) - 1);
	mime_parse(&mime, m->octets, m->size);
	add_text(out, "text", &mime, mime.text);
	add_text(out, "html", &mime, mime.html);
	mime_finish(&mime);
	add_fields(out, m);
	json_close(out, '}');
}
