/* SPDX-License-Identifier: MIT */
#ifndef CONTENT_H
#define CONTENT_H

/*
 * What a message holds, over HTTP: its source, its HTML, its parts.  They are
 * sent as the client reads, and the message stays until that is over.
 */

#include "http.h"

/* Send what PATH names of MESSAGE, whose reference is taken over: "/source",
 * "/html" or "/parts/N". */
enum MHD_Result content_send(
    const struct http_request *r, struct message *message, const char *path);

#endif
