/* SPDX-License-Identifier: MIT */
#ifndef HTTP_H
#define HTTP_H

/*
 * The HTTP server: it listens, lets the guard look at each request, and sends
 * responses with what browsers must be told.  Each connection has a thread, so
 * that one may wait.
 */

#include <microhttpd.h>

#include <glib.h>

#include <stdbool.h>

#include "store.h"
#include "text_list.h"

struct http;

/* What is served, and what to say of it. */
struct http_site {
	struct store *store;
	const struct text_list *names; /* of this server, see guard.h */
	const char *smtp;              /* where it takes mail */
};

/* One request. */
struct http_request {
	struct MHD_Connection *connection;
	const char *method; /* GET, HEAD or DELETE */
	const char *path;
	struct store *store;
	const char *smtp;
};

/* What a document may do, as its Content-Security-Policy says. */
enum http_policy {
	HTTP_NOTHING,    /* it is data */
	HTTP_PAGE,       /* our own scripts and styles, our own requests */
	HTTP_MAIL,       /* styles, fonts and images that it brings itself */
	HTTP_MAIL_REMOTE /* these from elsewhere too */
};

/* Whether the client has closed the connection. */
bool http_is_gone(const struct http_request *r);

/* Queue RESPONSE, which is taken over, with STATUS, of content TYPE. */
enum MHD_Result http_send(const struct http_request *r, unsigned status,
    const char *type, enum http_policy policy, struct MHD_Response *response);

/* The same with TEXT, which is taken over. */
enum MHD_Result http_send_text(const struct http_request *r, unsigned status,
    const char *type, enum http_policy policy, GString *text);

/* A JSON object that says why it was not done. */
enum MHD_Result http_send_error(
    const struct http_request *r, unsigned status, const char *why);

/* Parameter NAME of the request; NULL: it is not there. */
const char *http_param(const struct http_request *r, const char *name);

/* It as a number from 0 to MAX; OTHERWISE if it is not there or is none. */
unsigned long http_number(const struct http_request *r, const char *name,
    unsigned long max, unsigned long otherwise);

/* Let the request wait for longer than a connection may be silent, or no
 * more. */
void http_wait(const struct http_request *r, bool waits);

/* Serve SITE, whose parts outlive this, on FD, a socket that listens, which is
 * taken over.  Return NULL when it cannot start; FD stays open then. */
struct http *http_start(int fd, const struct http_site *site);

/* End all connections.  The store must have been closed.  NULL is fine. */
void http_stop(struct http *http);

#endif
