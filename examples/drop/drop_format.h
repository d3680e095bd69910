/* SPDX-License-Identifier: MIT */
#ifndef DROP_FORMAT_H
#define DROP_FORMAT_H

/*
 * A message in the drop box: its envelope as lines, and its content.
 *
 *	SMTPOUT-DROP 1
 *	SENDER ann@example.org
 *	RET HDRS
 *	ENVID xtext
 *	NOTIFY FAILURE,DELAY
 *	RCPT bob@example.org
 *	RCPT root
 *	DATA 1234
 *
 * A line ends with LF.  SENDER may be empty, for the null sender; RET, ENVID
 * and NOTIFY (RFC 3461, on the wire's form) may be missing; behind DATA are as
 * many octets of lines that end with CRLF, and nothing else.  An address may be
 * without a domain.  Who reads it trusts nothing: this is all that there can
 * be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DROP_FORMAT_FIRST "SMTPOUT-DROP 1"

/* Octets of a line of the envelope, with its end; recipients; octets of the
 * content, and of a line there. */
#define DROP_FORMAT_LINE_MAX 1024
#define DROP_FORMAT_RCPT_MAX 1000
#define DROP_FORMAT_SIZE_MAX UINT64_C(52428800)
#define DROP_FORMAT_TEXT_MAX 65536

/* The lines, in their order. */
enum drop_format_key {
	DROP_FORMAT_VERSION,
	DROP_FORMAT_SENDER,
	DROP_FORMAT_RET,
	DROP_FORMAT_ENVID,
	DROP_FORMAT_NOTIFY,
	DROP_FORMAT_RCPT,
	DROP_FORMAT_DATA, /* the last one */
};

struct drop_format {
	bool begun;               /* there was a line */
	enum drop_format_key key; /* of the last line */
	size_t nrcpts;
	uint64_t size;        /* of the content, as DATA says */
	uint64_t seen;        /* octets of it */
	unsigned char before; /* the last of these */
	size_t column;        /* in its line */
};

/* Read the next line of the envelope, LEN bytes at LINE without its end, which
 * are cut up.  Return NULL, with its key in F and its value in *VALUE, or what
 * is wrong. */
const char *drop_format_line(
    struct drop_format *f, char *line, size_t len, const char **value);

/* Look at LEN octets of the content.  Return NULL, or what is wrong. */
const char *drop_format_content(
    struct drop_format *f, const char *data, size_t len);

/* The text is over.  Return NULL, or what is wrong. */
const char *drop_format_end(const struct drop_format *f);

#endif
