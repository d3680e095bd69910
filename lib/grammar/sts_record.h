/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_STS_RECORD_H
#define SMTPD_GRAMMAR_STS_RECORD_H

/*
 * The TXT record at "_mta-sts" by which a domain says that it has a policy of
 * MTA-STS, and which one (RFC 8461, 3.1).
 */

#include <stdbool.h>
#include <stddef.h>

/* The size of an id, with its NUL. */
#define SMTPD_STS_ID_SIZE 33

/* Whether the LEN bytes at TEXT are such a record, good or not: a domain that
 * has more than one has no policy. */
bool smtpd__sts_record_is(const char *text, size_t len);

/* Read the record to ID.  Return 0, or -1 when it is malformed, and there is no
 * policy. */
int smtpd__sts_record_read(
    const char *text, size_t len, char id[SMTPD_STS_ID_SIZE]);

#endif
