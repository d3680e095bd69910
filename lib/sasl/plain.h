/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_PLAIN_H
#define SMTPD_SASL_PLAIN_H

/* The message of PLAIN (RFC 4616, 2), written and read; and the names and
 * passwords that other mechanisms take as well. */

#include <stdbool.h>

#include "base/text.h"

/* The longest password. */
#define SMTPD_SASL_PASSWORD_MAX 1023

struct smtpd_plain {
	const char *identity; /* "": none was given */
	const char *user;
	const char *password;
};

/* Append the message by which USER shows PASSWORD to T. */
void smtpd__plain_write(
    struct smtpd_text *t, const char *user, const char *password);

/* Read MESSAGE of LEN bytes and a NUL behind them; OUT points into it.  Return
 * 0, or -1: it has not three parts, or one that is not a name or a password. */
int smtpd__plain_read(const char *message, size_t len, struct smtpd_plain *out);

/* Whether NAME can be that of a user: 1 to 255 bytes, no control byte. */
bool smtpd__plain_is_name(const char *name);

/* Whether S can be a password: 1 to SMTPD_SASL_PASSWORD_MAX bytes. */
bool smtpd__plain_is_password(const char *s);

#endif
