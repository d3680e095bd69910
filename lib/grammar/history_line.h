/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_HISTORY_LINE_H
#define SMTPD_GRAMMAR_HISTORY_LINE_H

/*
 * What was done about a delivery, as the lines that people are shown, and that
 * the queue keeps (queue/delivery/history.h writes them):
 *
 *	TIME: attempt N
 *	dns NAME: WORDS
 *	smarthost NAME: WORDS
 *	HOST [ADDRESS]:PORT: TLS
 *	HOST: REPLY
 *	rcpt <RECIPIENT>: REPLY (HOST)
 *
 * REPLY begins with a code, or with an enhanced status that is our own; a
 * RECIPIENT is as smtpd_address_escape() writes it.  Any other line is WORDS.
 */

#include <stdbool.h>
#include <stddef.h>

/* A piece of text; AT is NULL when it is not known. */
struct smtpd_line_part {
	const char *at;
	size_t len;
};

/* A line taken apart, and the attempt that it belongs to. */
struct smtpd_history_line {
	const char *what; /* "attempt", "dns", "smarthost", "connected",
	                   * "failed", "reply" or "note" */
	struct smtpd_line_part time, attempt;
	struct smtpd_line_part recipient, host, address, port, tls;
	struct smtpd_line_part reply, words;
};

/* Take the first line off LINES and read it into OUT, which has the line before
 * it, or is zero.  Return false when there is none. */
bool smtpd__history_line_read(
    struct smtpd_line_part *lines, struct smtpd_history_line *out);

/* Take code and enhanced status, where they are, off a reply. */
void smtpd__history_line_split_reply(struct smtpd_line_part *words,
    struct smtpd_line_part *code, struct smtpd_line_part *status);

#endif
