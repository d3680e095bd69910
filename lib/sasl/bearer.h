/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_BEARER_H
#define SMTPD_SASL_BEARER_H

/* The messages of OAUTHBEARER (RFC 7628, 3.1) and of its forerunner XOAUTH2,
 * written and read. */

#include <stdbool.h>
#include <stdint.h>

#include "sasl/gs2.h"

/* How a client answers the challenge that says why its token is refused (RFC
 * 7628, 3.2.3); XOAUTH2 has an empty answer. */
#define SMTPD_BEARER_ACKNOWLEDGE "\x01"

struct smtpd_bearer {
	char identity[SMTPD_SASL_NAME_SIZE]; /* that it claims; "": none */
	const char *token; /* in the message; "": it shows none, and asks what
	                    * the server wants (RFC 7628, 3.1) */
};

/* Read MESSAGE, which changes.  Return 0, or -1 if it is none. */
int smtpd__bearer_read_oauthbearer(char *message, struct smtpd_bearer *out);
int smtpd__bearer_read_xoauth2(char *message, struct smtpd_bearer *out);

/* Whether S can be a token: 1*( VCHAR ), all that a header field of HTTP could
 * hold here (RFC 6750, 2.1). */
bool smtpd__bearer_is_token(const char *s);

/* Append the message by which USER shows TOKEN at PORT of HOST to T. */
void smtpd__bearer_write_oauthbearer(struct smtpd_text *t, const char *user,
    const char *host, uint16_t port, const char *token);

/* The same of XOAUTH2. */
void smtpd__bearer_write_xoauth2(
    struct smtpd_text *t, const char *user, const char *token);

/* Read the status that a server refuses a token with, in JSON, into STATUS of
 * SIZE bytes; "" where there is none. */
void smtpd__bearer_read_status(const char *json, char *status, size_t size);

#endif
