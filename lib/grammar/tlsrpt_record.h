/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_TLSRPT_RECORD_H
#define SMTPD_GRAMMAR_TLSRPT_RECORD_H

/*
 * The TXT record at "_smtp._tls" by which a domain asks for reports of how TLS
 * with its hosts went (RFC 8460, 3).
 */

#include <stdbool.h>
#include <stddef.h>

/* Destinations of reports that are looked at, and the size of one with its
 * NUL. */
#define SMTPD_TLSRPT_RUA_MAX  8
#define SMTPD_TLSRPT_RUA_SIZE 512

struct smtpd_tlsrpt_rua {
	bool https; /* to is a URL; else it is the address of a mailbox */
	char to[SMTPD_TLSRPT_RUA_SIZE];
};

struct smtpd_tlsrpt_record {
	struct smtpd_tlsrpt_rua rua[SMTPD_TLSRPT_RUA_MAX];
	size_t count;
};

/* Whether the LEN bytes at TEXT are such a record, good or not: a domain that
 * has more than one asks for nothing. */
bool smtpd__tlsrpt_record_is(const char *text, size_t len);

/*
 * Read the record to OUT, as many destinations as there is room for, other
 * schemes left out; of a mailto URI (RFC 6068, 2) the first address, without
 * its header fields.  Return 0, or -1 when the record is malformed or has no
 * destination that can be used.
 */
int smtpd__tlsrpt_record_read(
    const char *text, size_t len, struct smtpd_tlsrpt_record *out);

#endif
