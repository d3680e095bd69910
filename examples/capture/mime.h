/* SPDX-License-Identifier: MIT */
#ifndef MIME_H
#define MIME_H

/*
 * A message as MIME sees it (RFC 2045 and on): header fields, texts, parts.
 * What is damaged is read as far as it makes sense.  All texts are UTF-8.
 */

#include <gmime/gmime.h>

#include <stdbool.h>
#include <stddef.h>

/* A part that holds no other parts; a message within the message is one too. */
struct mime_part {
	GMimeObject *object; /* of the message */
	char *type;          /* "image/png", in lower case */
	char *name;          /* a safe file name; NULL: none was given */
	char *content_id;    /* without brackets; NULL */
	bool inline_part;    /* it belongs into the text */
};

struct mime {
	GByteArray *octets;
	GMimeStream *stream;
	GMimeMessage *message; /* NULL: it cannot be taken apart */
	struct mime_part *parts;
	size_t count;
	size_t text, html; /* parts that are the body; MIME_NONE */
};

#define MIME_NONE ((size_t)-1)

/* Call it before all others, while there is one thread, and at the end. */
void mime_start(void);
void mime_end(void);

/* Take SIZE octets apart, which stay as they are and must last as long as
 * MIME. */
void mime_parse(struct mime *mime, char *octets, size_t size);

void mime_finish(struct mime *mime);

/* The octets of part I, decoded, to be read from the start.  To be
 * unreferenced; NULL: there are none. */
GMimeStream *mime_open(const struct mime *mime, size_t i);

/* How many octets that has. */
size_t mime_size(const struct mime *mime, size_t i);

/* The text of part I in UTF-8, at most about MAX bytes of it; "" for MIME_NONE.
 * To be freed. */
char *mime_text(const struct mime *mime, size_t i, size_t max);

#endif
