/* SPDX-License-Identifier: MIT */
#ifndef LOADGEN_TEXT_H
#define LOADGEN_TEXT_H

/* What is sent: commands, headers, bodies. */

#include "options.h"

#include <stddef.h>
#include <stdint.h>

/* The body that all messages share. */
struct body {
	char *text;      /* lines, then the dot that ends it, then QUIT */
	size_t lines;    /* without the dot */
	size_t len;      /* with it */
	size_t quit_len; /* with QUIT behind it */
};

/* Make the body for messages as OPT says.  Return 0 or -1: no memory. */
int text_body_create(struct body *body, const struct options *opt);
void text_body_destroy(struct body *body);

/* The room that the functions below need. */
size_t text_room(const struct options *opt);

/*
 * Write to BUF of text_room() bytes, for message SEQ (each number only once),
 * and return the length: MAIL; RCPT number I of it; its header.
 */
size_t text_mail(char *buf, const struct options *opt, uint64_t seq);
size_t text_rcpt(
    char *buf, const struct options *opt, uint64_t seq, uint32_t i);
size_t text_header(char *buf, const struct options *opt, uint64_t seq);

/* MAIL and all RCPT at once. */
size_t text_group(char *buf, const struct options *opt, uint64_t seq);

/* BDAT for the whole message, whose body has LINES octets, and its header. */
size_t text_chunk(
    char *buf, const struct options *opt, uint64_t seq, size_t lines);

#endif
