/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_REPLY_H
#define SMTPD_GRAMMAR_REPLY_H

/* Replies as they stand on the wire (RFC 5321, 4.2; RFC 2034, 3). */

#include <stdbool.h>
#include <stddef.h>

/* The text of a program's reply: this many bytes are kept. */
#define SMTPD_REPLY_TEXT_MAX 1000

/* Room for the first line of a reply to EHLO and all keywords. */
#define SMTPD_REPLY_ROOM 1600

/* An enhanced status code: class, subject and detail of up to three digits. */
#define SMTPD_ENHANCED_MAX 9

struct smtpd_reply {
	int code;                              /* 0: none was set */
	char enhanced[SMTPD_ENHANCED_MAX + 1]; /* "" for none */
	char text[SMTPD_REPLY_ROOM];           /* lines divided by "\n" */
	bool utf8; /* the client takes UTF-8 in it (RFC 6531, 3.7.4) */
};

/*
 * Whether CODE, 200 to 599 with a second digit of 0 to 5, may go with ENHANCED
 * (NULL or "": without): "class.subject.detail" (RFC 3463, 2), the class that
 * of the code, which is 2, 4 or 5.
 */
bool smtpd__reply_is_valid(int code, const char *enhanced);

/* The most bytes that smtpd__reply_write() makes of a reply. */
#define SMTPD_REPLY_WIRE_MAX 27000

/*
 * Write R to BUF of SIZE bytes: each line with the code, the enhanced code if
 * there is one, at most 512 octets with its CRLF (broken at a space where
 * possible), control bytes as "?", and so are bytes outside ASCII unless they
 * are UTF-8 that the client takes.  Return the length; 0 when SIZE is too
 * small, for which SMTPD_REPLY_WIRE_MAX never is.
 */
size_t smtpd__reply_write(const struct smtpd_reply *r, char *buf, size_t size);

#endif
