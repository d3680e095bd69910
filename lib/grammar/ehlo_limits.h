/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_GRAMMAR_EHLO_LIMITS_H
#define SMTPD_GRAMMAR_EHLO_LIMITS_H

/*
 * The parameters of LIMITS in the reply to EHLO (RFC 9422, 3): what a server
 * takes of one client, written and read.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* The largest limit that can be said. */
#define SMTPD_EHLO_LIMIT_MAX 999999

/* 0 in a member: no limit is said. */
struct smtpd_ehlo_limits {
	uint32_t mails; /* MAIL in one session (RFC 9422, 4.1) */
	uint32_t rcpts; /* RCPT in one transaction (RFC 9422, 4.2) */
};

/* Append the parameters for LIMITS to T, with a space before each: nothing
 * where there are none, or none that can be said. */
void smtpd__ehlo_limits_write(
    struct smtpd_text *t, const struct smtpd_ehlo_limits *limits);

/*
 * Read PARAMS, NAME or NAME=VALUE with one space between them, or NULL, into
 * OUT.  Unknown names, and values that are none, are passed over; where the
 * form as a whole is broken all are.  Of what is said twice the smaller one
 * counts.
 */
void smtpd__ehlo_limits_read(const char *params, struct smtpd_ehlo_limits *out);

#endif
