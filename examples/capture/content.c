/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <string.h>

#include "html.h"
#include "mime.h"

/* Octets that are decoded at a time. */
#define BLOCK_SIZE 32768

/* What is being sent, until it is. */
struct sending {
	struct store *store;
	struct message *message;
	struct mime mime;
	GMimeStream *stream; /* NULL: the source, as it is in memory */
};

static struct sending *
begin_sending(const struct http_request *r, struct message *m)
{
	struct sending *s = g_new0(struct sending, 1);

	s->store = r->store;
	s->message = m;
	return s;
}

static void
end_sending(void *user)
{
	struct sending *s = user;

	if (s->stream != NULL) {
		g_object_unref(s->stream);
		mime_finish(&s->mime);
	}
	store_unref(s->store, s->message);
	g_free(s);
}

static enum MHD_Result
send_source(const struct http_request *r, struct message *m)
{
	struct sending *s = begin_sending(r, m);
	struct MHD_Response *response =
	    MHD_create_response_from_buffer_with_free_callback_cls(
		m->size, m->octets, end_sending, s);

	if (response == NULL)
		end_sending(s);
	return http_send(r, MHD_HTTP_OK, "text/plain; charset=utf-8",
	    HTTP_NOTHING, response);
}

static enum MHD_Result
send_html(const struct http_request *r, struct message *m)
{
	bool remote = http_number(r, "remote", 1, 0) == 1;
	GString *out = NULL;
	struct mime mime;

	mime_parse(&mime, m->octets, m->size);
	if (mime.html != MIME_NONE)
		out = html_document(&mime);
	mime_finish(&mime);
	store_unref(r->store, m);
	if (out == NULL)
		return http_send_error(
		    r, MHD_HTTP_NOT_FOUND, "the message has no HTML");
	return http_send_text(r, MHD_HTTP_OK, "text/html; charset=utf-8",
	    remote ? HTTP_MAIL_REMOTE : HTTP_MAIL, out);
}

static ssize_t
read_part(void *user, uint64_t pos, char *buf, size_t max)
{
	struct sending *s = user;
	ssize_t n = g_mime_stream_read(s->stream, buf, max);

	(void)pos;
	return n > 0 ? n : MHD_CONTENT_READER_END_OF_STREAM;
}

/* The header field that makes a file of part I, with its name. */
static char *
make_disposition(const struct mime_part *part, size_t i)
{
	char *name = part->name != NULL ? g_strdup(part->name)
					: g_strdup_printf("part-%zu", i);
	char *escaped = g_uri_escape_string(name, NULL, FALSE);
	char *plain = g_str_to_ascii(name, "C");
	char *field =
	    g_strdup_printf("attachment; filename=\"%s\"; filename*=UTF-8''%s",
		g_strdelimit(plain, "\"\\%", '_'), escaped);

	g_free(name);
	g_free(escaped);
	g_free(plain);
	return field;
}

static enum MHD_Result
send_opened_part(const struct http_request *r, struct sending *s, size_t i)
{
	const struct mime_part *part = &s->mime.parts[i];
	struct MHD_Response *response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_part, s, end_sending);
	char *field, *type;
	enum MHD_Result result;

	if (response == NULL) {
		end_sending(s);
		return MHD_NO;
	}
	/* The response may take them with it. */
	type = g_strdup(part->type);
	field = make_disposition(part, i);
	MHD_add_response_header(response, "Content-Disposition", field);
	result = http_send(r, MHD_HTTP_OK, type, HTTP_NOTHING, response);
	g_free(field);
	g_free(type);
	return result;
}

static enum MHD_Result
send_part(const struct http_request *r, struct message *m, const char *number)
{
	struct sending *s = begin_sending(r, m);
	guint64 i = MIME_NONE;

	mime_parse(&s->mime, m->octets, m->size);
	if (g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT16, &i, NULL) &&
	    i < s->mime.count)
		s->stream = mime_open(&s->mime, i);
	if (s->stream != NULL)
		return send_opened_part(r, s, i);
	mime_finish(&s->mime);
	end_sending(s);
	return http_send_error(
	    r, MHD_HTTP_NOT_FOUND, "the message has no such part");
}

enum MHD_Result
content_send(const struct http_request *r, struct message *m, const char *path)
{
	static const char parts[] = "/parts/";

	if (strcmp(path, "/source") == 0)
		return send_source(r, m);
	if (strcmp(path, "/html") == 0)
		return send_html(r, m);
	if (g_str_has_prefix(path, parts))
		return send_part(r, m, path + strlen(parts));
	store_unref(r->store, m);
	return http_send_error(r, MHD_HTTP_NOT_FOUND,
	    "of a message there are /source, /html and /parts/N");
}
