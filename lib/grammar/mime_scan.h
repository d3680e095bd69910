/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_MIME_SCAN_H
#define SMTPD_GRAMMAR_MIME_SCAN_H

/*
 * A message divided into its parts (RFC 2046, 5.1.1; RFC 2046, 5.2.1), while it
 * comes in blocks of any size.  Its lines end with CRLF, as smtpd__dot_encode()
 * makes them.  A line is a boundary when nothing but blanks is behind it; that
 * of an inner multipart is looked for first.
 */

#include <stdbool.h>
#include <stddef.h>

#include "grammar/mime_type.h"

/* Multiparts and messages in each other; deeper ones are taken for text that
 * nobody can convert. */
#define SMTPD_MIME_DEPTH_MAX 100

/* Octets of a line that are looked at, to know what it is. */
#define SMTPD_MIME_LINE_MAX 300

/* Octets of a field's value that are looked at. */
#define SMTPD_MIME_VALUE_MAX 2000

/* What a piece of the message is. */
enum smtpd_mime_piece {
	SMTPD_MIME_FIELD,      /* the begin of a field: its name, and more */
	SMTPD_MIME_FIELD_MORE, /* what follows of it */
	SMTPD_MIME_HEADER_END, /* the empty line, or nothing, behind a header:
	                        * all of the part is known now */
	SMTPD_MIME_BODY,       /* of a part that has no parts */
	SMTPD_MIME_BODY_END,   /* nothing; its body is over */
	SMTPD_MIME_FILLER,     /* before the first or behind the last boundary:
	                        * readers do not show it */
	SMTPD_MIME_DELIMITER,  /* a boundary, and the CRLF before it */
};

/* Called with LEN bytes at DATA, which last until it returns.  All pieces
 * together are the message. */
typedef void smtpd_mime_scan_fn(
    void *user, enum smtpd_mime_piece piece, const char *data, size_t len);

/* What a field is about. */
enum smtpd_mime_field {
	SMTPD_MIME_FIELD_OTHER,
	SMTPD_MIME_FIELD_TYPE,
	SMTPD_MIME_FIELD_ENCODING,
	SMTPD_MIME_FIELD_VERSION,
	SMTPD_MIME_FIELD_SIGNATURE, /* of header and body: DKIM, ARC */
};

/* What a multipart, or a message in one, is in. */
struct smtpd_mime_level {
	size_t part; /* its number */
	struct smtpd_mime_type type;
};

struct smtpd_mime_scan {
	smtpd_mime_scan_fn *fn;
	void *user;

	/* The part that is being read: its number, 0 for the message itself,
	 * and what its header says, once that is over. */
	size_t part;
	bool is_message; /* its header is that of a message */
	bool has_version;
	enum smtpd_mime_field field; /* the present one */
	struct smtpd_mime_type type;
	enum smtpd_mime_encoding encoding;

	/* What it is in; and whether readers may disagree about that, since
	 * boundaries in each other are the same, or it is too deep. */
	size_t depth;
	bool unclear;
	struct smtpd_mime_level levels[SMTPD_MIME_DEPTH_MAX];

	/* Filler stands before the first boundary of the innermost level. */
	bool is_preamble;

	int state;
	size_t parts;      /* how many there are so far */
	bool line_open;    /* the line's kind is known, and it goes on */
	bool continued;    /* a line may continue a field */
	bool has_encoding; /* the part */
	size_t end_len;    /* of a CRLF, or its CR, that is kept back: it may
	                     * belong to a boundary */
	size_t line_len;   /* of the line that is held */
	size_t value_len;  /* of the value that is held */
	char line[SMTPD_MIME_LINE_MAX];
	char value[SMTPD_MIME_VALUE_MAX];
};

/* Begin a message, whose pieces FN is called with. */
void smtpd__mime_scan_init(
    struct smtpd_mime_scan *s, smtpd_mime_scan_fn *fn, void *user);

void smtpd__mime_scan_feed(
    struct smtpd_mime_scan *s, const char *data, size_t len);

/* The message is over. */
void smtpd__mime_scan_end(struct smtpd_mime_scan *s);

#endif
