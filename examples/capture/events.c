/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <stdio.h>

/* Milliseconds without an event, after which something is sent, to find out
 * whether the browser is still there. */
#define REST_MS 15000

struct listening {
	struct store *store;
	const char *smtp;
	uint64_t changes; /* that were told */
	bool begun;
};

static ssize_t
next_event(void *user, uint64_t pos, char *buf, size_t max)
{
	struct listening *l = user;
	struct store_state state = l->begun
	    ? store_wait(l->store, l->changes, REST_MS)
	    : store_look(l->store);
	int n;

	(void)pos;
	if (state.closed)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (l->begun && state.changes == l->changes)
		n = snprintf(buf, max, ":\n\n");
	else
		n = snprintf(buf, max,
		    "data: {\"count\":%zu,\"smtp\":\"%s\"}\n\n", state.count,
		    l->smtp);
	l->begun = true;
	l->changes = state.changes;
	return n;
}

enum MHD_Result
events_send(const struct http_request *r)
{
	struct listening *l = g_new0(struct listening, 1);
	struct MHD_Response *response;

	l->store = r->store;
	l->smtp = r->smtp;
	response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, 1024, next_event, l, g_free);
	if (response == NULL)
		g_free(l);
	return http_send(
	    r, MHD_HTTP_OK, "text/event-stream", HTTP_NOTHING, response);
}
