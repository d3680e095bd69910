/* SPDX-License-Identifier: MIT */
#include "html.h"

#include <string.h>

/* Bytes of HTML, and of images in it, that are shown. */
#define HTML_MAX   (16 * 1048576)
#define IMAGES_MAX (32 * 1048576)

/* Whether tag NAME begins at HTML. */
static bool
is_tag(const char *html, const char *name)
{
	size_t len = strlen(name);

	return *html == '<' && g_ascii_strncasecmp(html + 1, name, len) == 0 &&
	    !g_ascii_isalnum(html[1 + len]);
}

/* The first tag NAME in HTML; NULL. */
static const char *
find_tag(const char *html, const char *name)
{
	const char *at = strchr(html, '<');

	while (at != NULL && !is_tag(at, name))
		at = strchr(at + 1, '<');
	return at;
}

/* The place for tags of ours: behind the first one of the head, or before all,
 * but for the document type. */
static const char *
find_head(const char *html)
{
	static const char *const tags[] = { "head", "html", "!doctype" };

	for (size_t i = 0; i < G_N_ELEMENTS(tags); i++) {
		const char *tag = find_tag(html, tags[i]);
		const char *end = tag == NULL ? NULL : strchr(tag, '>');

		if (end != NULL)
			return end + 1;
	}
	return html;
}

/* The image of MIME with the content id that begins at ID, in LEN bytes. */
static size_t
find_image(const struct mime *mime, const char *id, size_t len)
{
	char *name = g_uri_unescape_segment(id, id + len, NULL);
	size_t i = 0;

	while (i < mime->count &&
	    (name == NULL || mime->parts[i].content_id == NULL ||
		strcmp(mime->parts[i].content_id, name) != 0 ||
		!g_str_has_prefix(mime->parts[i].type, "image/")))
		i++;
	g_free(name);
	return i < mime->count ? i : MIME_NONE;
}

/* Append image I to OUT as a data: URL. */
static void
add_image(GString *out, const struct mime *mime, size_t i)
{
	GMimeStream *stream = mime_open(mime, i);
	gchar encoded[(3072 / 3 + 1) * 4 + 4];
	char buf[3072];
	gint state = 0, save = 0;
	ssize_t n;

	g_string_append_printf(out, "data:%s;base64,", mime->parts[i].type);
	if (stream == NULL)
		return;
	while ((n = g_mime_stream_read(stream, buf, sizeof(buf))) > 0)
		g_string_append_len(out, encoded,
		    (gssize)g_base64_encode_step((guchar *)buf, (gsize)n, FALSE,
			encoded, &state, &save));
	g_string_append_len(out, encoded,
	    (gssize)g_base64_encode_close(FALSE, encoded, &state, &save));
	g_object_unref(stream);
}

/* Append HTML to OUT; each cid: URL of an image becomes that. */
static void
add_with_images(GString *out, const struct mime *mime, const char *html)
{
	const char *at;

	while ((at = strstr(html, "cid:")) != NULL) {
		size_t len = strcspn(at + 4, "\"' )>\t\r\n");
		size_t i = find_image(mime, at + 4, len);

		g_string_append_len(out, html, at - html);
		if (i != MIME_NONE && out->len < IMAGES_MAX)
			add_image(out, mime, i);
		else
			g_string_append_len(out, at, (gssize)len + 4);
		html = at + 4 + len;
	}
	g_string_append(out, html);
}

GString *
html_document(const struct mime *mime)
{
	char *html = mime_text(mime, mime->html, HTML_MAX);
	const char *head = find_head(html);
	GString *out = g_string_new_len(html, head - html);

	/* In the frame itself nothing else would be shown. */
	g_string_append(out, "<base target=\"_blank\">");
	add_with_images(out, mime, head);
	g_free(html);
	return out;
}

/* Where what stands at HTML, a tag, or an element that is not shown, ends. */
static const char *
skip_tag(const char *html)
{
	static const char *const mute[][2] = {
		{ "style", "/style" },
		{ "script", "/script" },
		{ "title", "/title" },
	};
	const char *end;

	for (size_t i = 0; i < G_N_ELEMENTS(mute); i++) {
		if (!is_tag(html, mute[i][0]))
			continue;
		end = find_tag(html, mute[i][1]);
		return end != NULL ? end : html + strlen(html);
	}
	if (strncmp(html, "<!--", 4) == 0)
		end = strstr(html, "-->");
	else
		end = strchr(html, '>');
	return end != NULL ? end + 1 : html + strlen(html);
}

/* Append the character that a reference at HTML means, a blank if it is an
 * unusual one; return where that ends. */
static const char *
decode_reference(const char *html, GString *out)
{
	static const char *const known[][2] = {
		{ "&amp;", "&" },
		{ "&lt;", "<" },
		{ "&gt;", ">" },
		{ "&quot;", "\"" },
		{ "&#39;", "'" },
	};
	size_t len = 1;

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (g_str_has_prefix(html, known[i][0])) {
			g_string_append(out, known[i][1]);
			return html + strlen(known[i][0]);
		}
	}
	while (len < 12 && (g_ascii_isalnum(html[len]) || html[len] == '#'))
		len++;
	if (html[len] != ';') {
		g_string_append_c(out, '&');
		return html + 1;
	}
	g_string_append_c(out, ' ');
	return html + len + 1;
}

char *
html_to_text(const char *html)
{
	GString *out = g_string_new(NULL);

	while (*html != '\0') {
		if (*html == '<') {
			g_string_append_c(out, ' ');
			html = skip_tag(html);
		} else if (*html == '&') {
			html = decode_reference(html, out);
		} else {
			g_string_append_c(out, *html++);
		}
	}
	return g_string_free(out, FALSE);
}
