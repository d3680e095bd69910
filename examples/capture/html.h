/* SPDX-License-Identifier: MIT */
#ifndef HTML_H
#define HTML_H

/*
 * The HTML of a message.
 */

#include <glib.h>

#include "mime.h"

/*
 * The HTML part of MIME as a document for a frame of the page: its links open
 * elsewhere, its images that came with the message are within it.  What it may
 * not do, the browser is told by the response's header.  To be freed.
 */
GString *html_document(const struct mime *mime);

/* About what HTML says, without its tags: for lists and queries, never to be
 * shown as HTML.  To be freed. */
char *html_to_text(const char *html);

#endif
