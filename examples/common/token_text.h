/* SPDX-License-Identifier: MIT */
#ifndef TOKEN_TEXT_H
#define TOKEN_TEXT_H

/*
 * A bearer token as a file has it, or as a command prints it: on the first
 * line, with its lifetime in seconds on the second one, which may be missing;
 * or an object in JSON with "access_token" and "expires_in", as an OAuth server
 * answers (RFC 6749, 5.1).
 */

#include <stddef.h>
#include <stdint.h>

#include <smtpd/client.h>

/* Of more nothing is read. */
#define TOKEN_TEXT_SIZE 16384

struct token {
	char text[SMTPD_SECRET_SIZE];
	uint64_t lifetime; /* in seconds; 0: not known */
};

/* Read TEXT, which changes.  Return 0, or -1 with the reason, which shows
 * nothing of a token, in WHY of SIZE bytes. */
int token_text_read(char *text, struct token *out, char *why, size_t size);

#endif
