/* SPDX-License-Identifier: MIT */
#include "mime.h"

#include <string.h>

#include "header.h"

/* How deep parts may be in others, and how many there may be: what is beyond
 * is left out.  And lines of a header. */
#define DEPTH_MAX        50
#define PARTS_MAX        1000
#define HEADER_LINES_MAX 5000

/* A file name that can do no harm: without folders, and with nothing that ends
 * a header field or is hidden. */
static char *
make_safe_name(const char *given)
{
	const char *slash = strrchr(given, '/');
	const char *backslash = strrchr(given, '\\');
	char *valid, *at;

	if (slash != NULL)
		given = slash + 1;
	if (backslash != NULL && backslash >= given)
		given = backslash + 1;
	valid = g_utf8_make_valid(given, -1);
	for (at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		/* Marks of direction make "exe.pdf" of "fdp.exe". */
		if (!g_unichar_isprint(c) ||
		    strchr("\"*:<>?|", (char)c) != NULL)
			memset(at, '_', (size_t)(g_utf8_next_char(at) - at));
	}
	if (*valid == '.')
		*valid = '_';
	if (*valid == '\0') {
		g_free(valid);
		return NULL;
	}
	return valid;
}

static bool
is_inline(GMimeObject *object)
{
	const char *how = g_mime_object_get_disposition(object);

	return how == NULL ? g_mime_object_get_content_id(object) != NULL
			   : g_ascii_strcasecmp(how, "inline") == 0;
}

static char *
type_of(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = g_mime_content_type_get_mime_type(type);
	char *lower = g_ascii_strdown(text, -1);

	g_free(text);
	for (const char *at = lower; *at != '\0'; at++) {
		if (!g_ascii_isalnum(*at) && strchr("/.+-_", *at) == NULL) {
			g_free(lower);
			return g_strdup("application/octet-stream");
		}
	}
	return lower;
}

static void
add_leaf(struct mime *mime, GMimeObject *object)
{
	struct mime_part *part = &mime->parts[mime->count];
	const char *id = g_mime_object_get_content_id(object);
	const char *name = NULL;
	bool attached;

	if (GMIME_IS_PART(object))
		name = g_mime_part_get_filename(GMIME_PART(object));
	part->object = object;
	part->type = type_of(object);
	part->name = name == NULL ? NULL : make_safe_name(name);
	part->content_id = id == NULL ? NULL : g_utf8_make_valid(id, -1);
	part->inline_part = is_inline(object);
	attached =
	    g_mime_object_get_disposition(object) != NULL && !part->inline_part;
	if (GMIME_IS_TEXT_PART(object) && !attached && part->name == NULL) {
		if (mime->text == MIME_NONE &&
		    strcmp(part->type, "text/plain") == 0)
			mime->text = mime->count;
		if (mime->html == MIME_NONE &&
		    strcmp(part->type, "text/html") == 0)
			mime->html = mime->count;
	}
	mime->count++;
}

static void
add_parts(struct mime *mime, GMimeObject *object, int depth)
{
	int n;

	if (object == NULL || depth > DEPTH_MAX || mime->count == PARTS_MAX)
		return;
	if (!GMIME_IS_MULTIPART(object)) {
		add_leaf(mime, object);
		return;
	}
	n = g_mime_multipart_get_count(GMIME_MULTIPART(object));
	for (int i = 0; i < n; i++)
		add_parts(mime,
		    g_mime_multipart_get_part(GMIME_MULTIPART(object), i),
		    depth + 1);
}

/* Whether a line of a header says that a message follows. */
static bool
names_message(const char *line, size_t len)
{
	static const char type[] = "message/";
	size_t n = sizeof(type) - 1;

	for (size_t i = 0; i + n <= len; i++) {
		if (g_ascii_strncasecmp(line + i, type, n) == 0)
			return true;
	}
	return false;
}

/*
 * Whether gmime takes SIZE octets apart in a time that is about as long as they
 * are: with very many lines in a header, and very many parts in parts, it grows
 * with the square.
 */
static bool
is_reasonable(const char *octets, size_t size)
{
	static const char type[] = "content-type:";
	const char *end = octets + size, *next;
	bool in_header = true, nested = false;
	size_t lines = 0, types = 0;

	for (const char *line = octets; line < end; line = next) {
		size_t len;

		next = memchr(line, '\n', (size_t)(end - line));
		next = next != NULL ? next + 1 : end;
		len = (size_t)(next - line);
		if (*line == '\r' || *line == '\n' ||
		    (len > 2 && line[0] == '-' && line[1] == '-')) {
			in_header = *line == '-' || (in_header && nested);
			nested = false;
			lines = 0;
		} else if (in_header) {
			lines++;
			nested |= names_message(line, len);
			types += len >= sizeof(type) &&
			    g_ascii_strncasecmp(line, type, sizeof(type) - 1) ==
				0;
		}
		if (lines > HEADER_LINES_MAX || types > PARTS_MAX)
			return false;
	}
	return true;
}

void
mime_parse(struct mime *mime, char *octets, size_t size)
{
	GMimeParser *parser;

	*mime = (struct mime){ .text = MIME_NONE, .html = MIME_NONE };
	mime->octets = g_byte_array_new_take((guint8 *)octets, size);
	mime->stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(
	    GMIME_STREAM_MEM(mime->stream), mime->octets);
	mime->parts = g_new0(struct mime_part, PARTS_MAX);
	if (!is_reasonable(octets, size))
		return;
	parser = g_mime_parser_new_with_stream(mime->stream);
	mime->message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	if (mime->message != NULL)
		add_parts(mime, g_mime_message_get_mime_part(mime->message), 0);
}

void
mime_finish(struct mime *mime)
{
	for (size_t i = 0; i < mime->count; i++) {
		g_free(mime->parts[i].type);
		g_free(mime->parts[i].name);
		g_free(mime->parts[i].content_id);
	}
	g_free(mime->parts);
	g_clear_object(&mime->message);
	g_object_unref(mime->stream);
	/* The octets are not ours. */
	(void)g_byte_array_free(mime->octets, FALSE);
}

static GMimeStream *
open_message(GMimeMessagePart *part)
{
	GMimeMessage *inner = g_mime_message_part_get_message(part);
	GMimeStream *stream;

	if (inner == NULL)
		return NULL;
	stream = g_mime_stream_mem_new();
	g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
	g_mime_stream_reset(stream);
	return stream;
}

GMimeStream *
mime_open(const struct mime *mime, size_t i)
{
	GMimeObject *object = mime->parts[i].object;
	GMimeDataWrapper *content;
	GMimeStream *stream;
	GMimeFilter *decoder;

	if (GMIME_IS_MESSAGE_PART(object))
		return open_message(GMIME_MESSAGE_PART(object));
	content = GMIME_IS_PART(object)
	    ? g_mime_part_get_content(GMIME_PART(object))
	    : NULL;
	if (content == NULL)
		return NULL;
	stream = g_mime_data_wrapper_get_stream(content);
	g_mime_stream_reset(stream);
	stream = g_mime_stream_filter_new(stream);
	decoder = g_mime_filter_basic_new(
	    g_mime_data_wrapper_get_encoding(content), FALSE);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(stream), decoder);
	g_object_unref(decoder);
	return stream;
}

size_t
mime_size(const struct mime *mime, size_t i)
{
	GMimeStream *stream = mime_open(mime, i);
	size_t size = 0;
	char buf[16384];
	ssize_t n;

	if (stream == NULL)
		return 0;
	while ((n = g_mime_stream_read(stream, buf, sizeof(buf))) > 0)
		size += (size_t)n;
	g_object_unref(stream);
	return size;
}

/* Have STREAM read as UTF-8 what PART says that it is in. */
static void
add_charset(GMimeStream *stream, GMimeObject *part)
{
	const char *charset =
	    g_mime_object_get_content_type_parameter(part, "charset");
	GMimeFilter *filter = charset == NULL
	    ? NULL
	    : g_mime_filter_charset_new(charset, "utf-8");

	if (filter == NULL)
		return;
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(stream), filter);
	g_object_unref(filter);
}

char *
mime_text(const struct mime *mime, size_t i, size_t max)
{
	GMimeStream *stream = i == MIME_NONE ? NULL : mime_open(mime, i);
	GString *text = g_string_new(NULL);
	char buf[4096], *valid;
	ssize_t n;

	if (stream != NULL) {
		if (GMIME_IS_STREAM_FILTER(stream))
			add_charset(stream, mime->parts[i].object);
		while (text->len < max &&
		    (n = g_mime_stream_read(stream, buf, sizeof(buf))) > 0)
			g_string_append_len(text, buf, n);
		g_object_unref(stream);
	}
	/* A NUL would end the text for others. */
	for (size_t at = 0; at < text->len; at++) {
		if (text->str[at] == '\0')
			text->str[at] = ' ';
	}
	valid = g_utf8_make_valid(text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	return valid;
}

/* gmime registers its types when they are used first, without a lock: here,
 * before there are threads. */
static void
use_all_types(void)
{
	char sample[] =
	    "To: G: a@b, c@d;\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
	    "--x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
	    "--x\r\nContent-Type: message/rfc822\r\n"
	    "Content-Disposition: inline; filename=a\r\n\r\n"
	    "Subject: =?utf-8?q?a?=\r\n\r\na\r\n--x--\r\n";
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	struct mime mime;

	header_addresses(sample, sizeof(sample) - 1, "To", list);
	g_ptr_array_free(list, TRUE);
	mime_parse(&mime, sample, sizeof(sample) - 1);
	for (size_t i = 0; i < mime.count; i++)
		g_free(mime_text(&mime, i, 100));
	mime_finish(&mime);
}

void
mime_start(void)
{
	g_mime_init();
	use_all_types();
}

void
mime_end(void)
{
	g_mime_shutdown();
}
