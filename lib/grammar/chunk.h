/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_CHUNK_H
#define SMTPD_GRAMMAR_CHUNK_H

/*
 * The argument of BDAT (RFC 3030, 2): chunk-size [ SP "LAST" ].
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd_chunk {
	uint64_t size; /* octets that follow the command */
	bool last;     /* the message ends with them */
};

/* Read LEN bytes at S.  Return 0, or -1 when they are something else, or the
 * size has more than 20 digits or does not fit 64 bits. */
int smtpd__chunk_parse(const char *s, size_t len, struct smtpd_chunk *out);

#endif
