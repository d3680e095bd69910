/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_MIME_TYPE_H
#define SMTPD_GRAMMAR_MIME_TYPE_H

/*
 * The values of Content-Type (RFC 2045, 5.1) and Content-Transfer-Encoding (RFC
 * 2045, 6.1), as far as it takes to convert a message: comments, quotes and
 * what others write instead of tokens among them.
 */

#include <stdbool.h>
#include <stddef.h>

/* Octets of a boundary.  RFC 2046, 5.1.1 has 70; others are longer. */
#define SMTPD_MIME_BOUNDARY_MAX 200

enum smtpd_mime_kind {
	SMTPD_MIME_TEXT,
	SMTPD_MIME_OTHER,     /* any content of octets */
	SMTPD_MIME_MULTIPART, /* parts, between boundaries */
	SMTPD_MIME_DIGEST,    /* the same, of messages unless they say more */
	SMTPD_MIME_MESSAGE,   /* a header and a body */
	SMTPD_MIME_FIXED,     /* what must stay as it is: signed, encrypted, a
	                       * multipart without a boundary, a message/ that
	                       * may have no encoding */
};

/* Zero is what a message without a label has. */
struct smtpd_mime_type {
	enum smtpd_mime_kind kind;
	bool unlabelled;     /* no field said it */
	bool sealed;         /* it is FIXED as it is signed or encrypted */
	size_t boundary_len; /* 0 but for MULTIPART and DIGEST */
	char boundary[SMTPD_MIME_BOUNDARY_MAX];
};

enum smtpd_mime_encoding {
	SMTPD_MIME_7BIT, /* also when nothing is said */
	SMTPD_MIME_8BIT, /* or binary */
	SMTPD_MIME_QUOTED_PRINTABLE,
	SMTPD_MIME_BASE64,
	SMTPD_MIME_UNKNOWN,
};

/* Read the value of a Content-Type, LEN octets at VALUE without line ends.
 * What is none is text (RFC 2045, 5.2).  A boundary may be in sections, and
 * encoded (RFC 2231, 3; RFC 2231, 4). */
void smtpd__mime_type_parse(
    const char *value, size_t len, struct smtpd_mime_type *out);

/* The same for Content-Transfer-Encoding. */
enum smtpd_mime_encoding smtpd__mime_type_encoding(
    const char *value, size_t len);

#endif
