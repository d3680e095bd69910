/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_REPLY_PARSE_H
#define SMTPD_GRAMMAR_REPLY_PARSE_H

/* Replies of others, line by line (RFC 5321, 4.2; RFC 2034, 3). */

#include <stddef.h>

#include "grammar/reply.h"

/* Octets of a line with its end, and of all lines of a reply: more than anyone
 * needs. */
#define SMTPD_PEER_LINE_MAX  4096
#define SMTPD_PEER_REPLY_MAX 65536

/* The text that is kept of it, with a NUL. */
#define SMTPD_PEER_TEXT_SIZE 512

struct smtpd_peer_reply {
	int code;                              /* 200 to 599 */
	char enhanced[SMTPD_ENHANCED_MAX + 1]; /* "": there was none */

	/* All lines in one, as they were said but for the codes: printable
	 * ASCII.  The enhanced code stands in it too. */
	char text[SMTPD_PEER_TEXT_SIZE];

	size_t octets; /* so far */
};

enum smtpd_peer_step {
	SMTPD_PEER_MORE, /* another line follows */
	SMTPD_PEER_DONE,
	SMTPD_PEER_BAD, /* it is no reply: what follows cannot be told */
};

/* Begin a reply. */
void smtpd__reply_parse_init(struct smtpd_peer_reply *r);

/*
 * Take one line, LEN bytes at LINE without its end.  An enhanced code counts
 * if its class is that of the code.  A line with another code than those before
 * takes their place.  BAD: no code, a NUL, or too much.
 */
enum smtpd_peer_step smtpd__reply_parse_line(
    struct smtpd_peer_reply *r, const char *line, size_t len);

#endif
