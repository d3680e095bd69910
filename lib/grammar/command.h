/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_COMMAND_H
#define SMTPD_GRAMMAR_COMMAND_H

/*
 * A command line, its CRLF removed, into verb and argument (RFC 5321, 4.1.1).
 */

#include <stdbool.h>
#include <stddef.h>

/* The longest verb there can be. */
#define SMTPD_VERB_MAX 12

struct smtpd_command_line {
	char verb[SMTPD_VERB_MAX + 1]; /* in upper case */
	const char *argument;          /* within the line: white space around
	                                * it is left out */
	size_t len;                    /* of the argument */
};

/*
 * Split LEN bytes at LINE.  Bytes outside ASCII are left to the grammar of
 * the argument; HT stands for a space.  Return 0, or -1 when LINE is not a
 * command: it holds a NUL, a CR or another control byte, or it does not begin
 * with 1 to 12 letters, digits or hyphens, a letter first, and then a space or
 * its end.
 */
int smtpd__command_parse(
    const char *line, size_t len, struct smtpd_command_line *out);

/*
 * Whether LINE is of another protocol that a browser was tricked into
 * sending: a method of HTTP, a "Label:" of its headers, or what begins with
 * something else than a letter.  An empty line is not.
 */
bool smtpd__command_is_foreign(const char *line, size_t len);

#endif
