/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_RECEIVED_H
#define SMTPD_GRAMMAR_RECEIVED_H

/*
 * The trace field that a server puts on top of a message (RFC 5321, 4.4).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct smtpd_received {
	const char *helo; /* as the client said it; "" when it did not */
	const char *peer; /* its address, "192.0.2.1"; NULL: none (a pipe) */
	const char *by;   /* our name */
	const char *with; /* "SMTP", "ESMTP", ... (RFC 3848, 1) */
	const char *id;
	const char *rcpt; /* the only recipient, or NULL */
	time_t when;
	const char *tls;    /* its version, or NULL for plain text */
	const char *cipher; /* and its cipher (RFC 8314, 4.3) */
	const char *uid;    /* the number of the local user, when there is no
	                     * address; NULL: not known */
	bool utf8; /* the recipient may be in UTF-8 (RFC 6531, 3.7.3) */
	const int *priority; /* of the message (RFC 6710), or NULL */
};

/*
 * Write "Received: ..." with lines folded and ended by CRLF to BUF of SIZE
 * bytes: the date in UTC, an IPv6 address with its tag (RFC 5321, 4.1.3).
 * Return the length, or -1 when there is no room.  SMTPD_RECEIVED_MAX bytes
 * always suffice: over-long names are cut.
 */
int smtpd__received_write(
    const struct smtpd_received *t, char *buf, size_t size);

#endif
