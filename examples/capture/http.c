/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <sys/socket.h>

#include <stdlib.h>

#include "api.h"
#include "guard.h"
#include "json.h"

/* Connections at a time, seconds that one may be silent, and its stack: parts
 * of messages may be in parts. */
#define CONNECTIONS_MAX 256
#define SILENCE_MAX_S   60
#define STACK_SIZE      (4 * 1048576)

struct http {
	struct MHD_Daemon *daemon;
	struct http_site site;
};

#define OWN_FRAMES "; base-uri 'none'; form-action 'none'; frame-ancestors "
#define MAIL       "sandbox allow-popups allow-popups-to-escape-sandbox; "

static const char *const policies[] = {
	[HTTP_NOTHING] = "sandbox; default-src 'none'" OWN_FRAMES "'none'",
	[HTTP_PAGE] = "default-src 'none'; script-src 'self'; style-src "
		      "'self'; img-src 'self'; connect-src 'self'; frame-src "
		      "'self'" OWN_FRAMES "'none'",
	[HTTP_MAIL] = MAIL "default-src 'none'; style-src 'unsafe-inline'; "
			   "font-src data:; img-src data:" OWN_FRAMES "'self'",
	[HTTP_MAIL_REMOTE] =
	    MAIL "default-src 'none'; style-src 'unsafe-inline' http: https:; "
		 "font-src data: http: https:; img-src data: http: "
		 "https:" OWN_FRAMES "'self'",
};

enum MHD_Result
http_send(const struct http_request *r, unsigned status, const char *type,
    enum http_policy policy, struct MHD_Response *response)
{
	const char *const fields[][2] = {
		{ "Content-Type", type },
		{ "Content-Security-Policy", policies[policy] },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
	};
	enum MHD_Result result = MHD_YES;

	if (response == NULL)
		return MHD_NO;
	for (size_t i = 0; i < G_N_ELEMENTS(fields) && result == MHD_YES; i++)
		result = MHD_add_response_header(
		    response, fields[i][0], fields[i][1]);
	if (result == MHD_YES)
		result = MHD_queue_response(r->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

enum MHD_Result
http_send_text(const struct http_request *r, unsigned status, const char *type,
    enum http_policy policy, GString *text)
{
	size_t len = text->len;
	char *bytes = g_string_free(text, FALSE);
	struct MHD_Response *response =
	    MHD_create_response_from_buffer_with_free_callback(
		len, bytes, g_free);

	if (response == NULL)
		g_free(bytes);
	return http_send(r, status, type, policy, response);
}

enum MHD_Result
http_send_error(const struct http_request *r, unsigned status, const char *why)
{
	GString *out = g_string_new(NULL);

	json_open(out, '{');
	json_name_text(out, "error", why);
	json_close(out, '}');
	return http_send_text(r, status, "application/json", HTTP_NOTHING, out);
}

static const char *
find_field(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

const char *
http_param(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(
	    r->connection, MHD_GET_ARGUMENT_KIND, name);
}

unsigned long
http_number(const struct http_request *r, const char *name, unsigned long max,
    unsigned long otherwise)
{
	const char *text = http_param(r, name);
	unsigned long n;
	char *end;

	if (text == NULL || !g_ascii_isdigit(*text))
		return otherwise;
	n = strtoul(text, &end, 10);
	if (*end != '\0')
		return otherwise;
	return n > max ? max : n;
}

void
http_wait(const struct http_request *r, bool waits)
{
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
	    waits ? 0u : (unsigned)SILENCE_MAX_S);
}

bool
http_is_gone(const struct http_request *r)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	char byte;

	return info != NULL &&
	    recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static enum MHD_Result
answer_request(void *user, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **state)
{
	const struct http *http = user;
	const struct http_request r = { connection, method, url,
		http->site.store, http->site.smtp };
	const struct guard_request g = {
		.method = method,
		.host = find_field(connection, "Host"),
		.origin = find_field(connection, "Origin"),
		.fetch_site = find_field(connection, "Sec-Fetch-Site"),
		.fetch_mode = find_field(connection, "Sec-Fetch-Mode"),
	};
	const char *why;

	(void)version;
	(void)upload;
	/* It is called with the header alone first, then with each piece of a
	 * body, which nobody needs, and at last without. */
	if (*state == NULL || *upload_size > 0) {
		*state = user;
		*upload_size = 0;
		return MHD_YES;
	}
	why = guard_refuses(&g, http->site.names);
	if (why != NULL)
		return http_send_error(&r, MHD_HTTP_FORBIDDEN, why);
	return api_answer(&r);
}

struct http *
http_start(int fd, const struct http_site *site)
{
	struct http *http = g_new0(struct http, 1);

	http->site = *site;
	http->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC,
	    0, NULL, NULL, answer_request, http, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_MAX_S,
	    MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE, MHD_OPTION_END);
	if (http->daemon != NULL)
		return http;
	g_free(http);
	return NULL;
}

void
http_stop(struct http *http)
{
	if (http == NULL)
		return;
	MHD_stop_daemon(http->daemon);
	g_free(http);
}
