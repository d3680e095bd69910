/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_BEARER_H
#define SMTPD_SASL_BEARER_H

/* The messages of OAUTHBEARER (RFC 7628, 3.1) and of its forerunner XOAUTH2, as
 * the server reads them. */

#include "sasl/gs2.h"

struct smtpd_bearer {
	char identity[SMTPD_SASL_NAME_SIZE]; /* that it claims; "": none */
	const char *token; /* in the message; "": it shows none, and asks what
	                    * the server wants (RFC 7628, 3.1) */
};

/* Read MESSAGE, which changes.  Return 0, or -1 if it is none. */
int smtpd__bearer_read_oauthbearer(char *message, struct smtpd_bearer *out);
int smtpd__bearer_read_xoauth2(char *message, struct smtpd_bearer *out);

#endif
