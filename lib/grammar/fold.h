/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_FOLD_H
#define SMTPD_GRAMMAR_FOLD_H

/*
 * Text from any source written in lines of a message: ended by CRLF, broken at
 * spaces after 78 octets (RFC 5322, 2.1.1), never longer than 998; controls and
 * bytes outside ASCII become "?", but for characters where the message may have
 * UTF-8.
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/sink.h"

/* Octets of a line, at best and at most, without the CRLF. */
#define SMTPD_FOLD_WIDTH 78
#define SMTPD_FOLD_MAX   998

struct smtpd_fold {
	smtpd_sink_fn *sink;
	void *user;
	bool failed;        /* the sink has */
	bool utf8;          /* text may be UTF-8; false at first */
	const char *indent; /* begins the line after a break */
	size_t len;         /* of the line so far */
	char line[SMTPD_FOLD_MAX + 2];
};

/* Begin to write to SINK with USER; go on with INDENT, white space, where a
 * line is broken. */
void smtpd__fold_init(
    struct smtpd_fold *f, const char *indent, smtpd_sink_fn *sink, void *user);

/* Append TEXT where the line stands, and do not break it: what does not fit
 * into SMTPD_FOLD_MAX is cut off. */
void smtpd__fold_add(struct smtpd_fold *f, const char *text);

/* Append TEXT as one word, which may hold spaces, with a space or a break
 * before it. */
void smtpd__fold_word(struct smtpd_fold *f, const char *text);

/* Append the words of TEXT, a space or a break before each, for many spaces
 * as for one; what is too long for any line is broken somewhere. */
void smtpd__fold_words(struct smtpd_fold *f, const char *text);

/* End the line, and go on with the indent in the next. */
void smtpd__fold_break(struct smtpd_fold *f);

/* End the line, which may be empty. */
void smtpd__fold_end(struct smtpd_fold *f);

/* Write a line of BEFORE, TEXT and AFTER, which is not broken. */
void smtpd__fold_line(struct smtpd_fold *f, const char *before,
    const char *text, const char *after);

/* End the line with the words of TEXT. */
void smtpd__fold_prose(struct smtpd_fold *f, const char *text);

/* Write a field, NAME with its colon, whose value can be broken at its spaces;
 * and one whose value is the time WHEN. */
void smtpd__fold_field(
    struct smtpd_fold *f, const char *name, const char *value);
void smtpd__fold_date(struct smtpd_fold *f, const char *name, time_t when);

#endif
