/* SPDX-License-Identifier: MIT */
#include "api.h"

#include <string.h>

#include "content.h"
#include "describe.h"
#include "events.h"
#include "json.h"
#include "page.h"

/* How many messages a list has, unless it is said, and at most; and seconds
 * that a request may wait. */
#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000
#define WAIT_MAX_S    600

/* Milliseconds after which a client that waits may have gone. */
#define LOOK_MS 1000

static const char *const list_params[] = { "from", "to", "subject", "q",
	"after", "before", "limit", "wait", NULL };
static const char *const delete_params[] = { "from", "to", "subject", "q",
	NULL };

/* Those that are numbers; "limit" from 1. */
static const char *const number_params[] = { "limit", "wait", NULL };

/* Of parameters that may be there, and what is wrong with the first that may
 * not, or not like that; NULL: nothing. */
struct param_check {
	const char *const *allowed;
	char *wrong;
};

static bool
is_number(const char *value, bool from_one)
{
	return value != NULL && *value != '\0' &&
	    value[strspn(value, "0123456789")] == '\0' &&
	    (!from_one || value[strspn(value, "0")] != '\0');
}

static enum MHD_Result
check_param(
    void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct param_check *check = user;
	bool is_limit = strcmp(name, "limit") == 0;

	(void)kind;
	if (!g_strv_contains(check->allowed, name))
		check->wrong =
		    g_strdup_printf("there is no parameter \"%s\"", name);
	else if (g_strv_contains(number_params, name) &&
	    !is_number(value, is_limit))
		check->wrong = g_strdup_printf(
		    "\"%s\" must be a number from %d", name, is_limit);
	return check->wrong == NULL ? MHD_YES : MHD_NO;
}

/* A parameter that is misspelt must not mean all messages. */
static char *
find_wrong_param(const struct http_request *r, const char *const *allowed)
{
	struct param_check check = { .allowed = allowed };

	MHD_get_connection_values(
	    r->connection, MHD_GET_ARGUMENT_KIND, check_param, &check);
	return check.wrong;
}

static enum MHD_Result
send_wrong_param(const struct http_request *r, char *why)
{
	char *valid = g_utf8_make_valid(why, -1);
	enum MHD_Result result =
	    http_send_error(r, MHD_HTTP_BAD_REQUEST, valid);

	g_free(valid);
	g_free(why);
	return result;
}

static void
read_query(const struct http_request *r, struct query *query)
{
	query_init(query, http_param(r, "from"), http_param(r, "to"),
	    http_param(r, "subject"), http_param(r, "q"));
}

/* Select, and as long as nothing is found wait for END, on the clock of
 * g_get_monotonic_time(). */
static size_t
select_in_time(const struct http_request *r, const struct query *query,
    const struct store_range *range, gint64 end, struct message **found,
    size_t *total)
{
	struct store_state state = store_look(r->store);

	for (;;) {
		size_t n = store_select(r->store, query, range, found, total);
		gint64 now = g_get_monotonic_time();

		if (n > 0 || now >= end || state.closed || http_is_gone(r))
			return n;
		state = store_wait(r->store, state.changes,
		    MIN((uint64_t)(end - now + 999) / 1000, LOOK_MS));
	}
}

static GString *
make_list(const struct http_request *r, struct message **found, size_t n,
    size_t total)
{
	GString *out = g_string_new(NULL);

	json_open(out, '{');
	json_name_number(out, "total", total);
	json_name(out, "messages");
	json_open(out, '[');
	for (size_t i = 0; i < n; i++) {
		json_raw(out, found[i]->summary, strlen(found[i]->summary));
		store_unref(r->store, found[i]);
	}
	json_close(out, ']');
	json_close(out, '}');
	return out;
}

static enum MHD_Result
list_messages(const struct http_request *r)
{
	const struct store_range range = {
		.after = http_param(r, "after"),
		.before = http_param(r, "before"),
		.limit = http_number(r, "limit", LIMIT_MAX, LIMIT_DEFAULT),
	};
	unsigned long wait_s = http_number(r, "wait", WAIT_MAX_S, 0);
	struct message **found = g_new(struct message *, range.limit + 1);
	char *wrong = find_wrong_param(r, list_params);
	struct query query;
	GString *out;
	size_t n, total;

	if (wrong != NULL) {
		g_free(found);
		return send_wrong_param(r, wrong);
	}
	read_query(r, &query);
	if (wait_s > 0)
		http_wait(r, true);
	n = select_in_time(r, &query, &range,
	    g_get_monotonic_time() + (gint64)wait_s * G_USEC_PER_SEC, found,
	    &total);
	if (wait_s > 0)
		http_wait(r, false);
	query_finish(&query);
	out = make_list(r, found, n, total);
	g_free(found);
	return http_send_text(
	    r, MHD_HTTP_OK, "application/json", HTTP_NOTHING, out);
}

static enum MHD_Result
send_deleted(const struct http_request *r, size_t n)
{
	GString *out = g_string_new(NULL);

	json_open(out, '{');
	json_name_number(out, "deleted", n);
	json_close(out, '}');
	return http_send_text(
	    r, MHD_HTTP_OK, "application/json", HTTP_NOTHING, out);
}

static enum MHD_Result
delete_messages(const struct http_request *r)
{
	char *wrong = find_wrong_param(r, delete_params);
	struct query query;
	size_t n;

	if (wrong != NULL)
		return send_wrong_param(r, wrong);
	read_query(r, &query);
	n = store_remove(r->store, &query);
	query_finish(&query);
	return send_deleted(r, n);
}

static enum MHD_Result
send_message(const struct http_request *r, struct message *m)
{
	GString *out = g_string_new(NULL);

	describe_message(m, out);
	store_unref(r->store, m);
	return http_send_text(
	    r, MHD_HTTP_OK, "application/json", HTTP_NOTHING, out);
}

/* Answer for what is behind "/messages/": an id, and a part of that. */
static enum MHD_Result
answer_message(const struct http_request *r, const char *path, bool reads)
{
	const char *rest = path + strcspn(path, "/");
	char *id = g_strndup(path, (gsize)(rest - path));
	struct message *m;
	bool removed = false;

	if (!reads && *rest == '\0')
		removed = store_remove_id(r->store, id);
	m = reads ? store_get(r->store, id) : NULL;
	g_free(id);
	if (removed)
		return send_deleted(r, 1);
	if (m == NULL)
		return http_send_error(
		    r, MHD_HTTP_NOT_FOUND, "there is no such message");
	if (*rest == '\0')
		return send_message(r, m);
	return content_send(r, m, rest);
}

enum MHD_Result
api_answer(const struct http_request *r)
{
	static const char messages[] = "/messages";
	bool reads = strcmp(r->method, MHD_HTTP_METHOD_GET) == 0 ||
	    strcmp(r->method, MHD_HTTP_METHOD_HEAD) == 0;
	bool of_messages = g_str_has_prefix(r->path, messages);
	const char *rest = r->path + strlen(messages);

	if (!reads &&
	    (strcmp(r->method, MHD_HTTP_METHOD_DELETE) != 0 || !of_messages))
		return http_send_error(r, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "only GET, HEAD and, of messages, DELETE are known");
	if (of_messages && *rest == '\0')
		return reads ? list_messages(r) : delete_messages(r);
	if (of_messages && *rest == '/' && rest[1] != '\0')
		return answer_message(r, rest + 1, reads);
	if (strcmp(r->path, "/events") == 0)
		return events_send(r);
	return page_send(r);
}
