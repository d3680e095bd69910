/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_GS2_H
#define SMTPD_SASL_GS2_H

/* The header in front of messages of SCRAM and OAUTHBEARER (RFC 5801, 4), and
 * how a name is written in it. */

#include <stddef.h>

#include "base/text.h"

/* Room for a name, with its NUL. */
#define SMTPD_SASL_NAME_SIZE 256

/* The header that says: no channel binding, nobody else's identity. */
#define SMTPD_GS2_NONE "n,,"

struct smtpd_gs2 {
	size_t len;                          /* with the last comma */
	char identity[SMTPD_SASL_NAME_SIZE]; /* "": none was given */
};

/* Append NAME to T as saslname: "," and "=" are written in another way. */
void smtpd__gs2_add_name(struct smtpd_text *t, const char *name);

/* Read saslname, LEN bytes at S, into NAME of SMTPD_SASL_NAME_SIZE bytes.
 * Return 0, or -1: it is none, is empty or too long, or holds a control
 * byte. */
int smtpd__gs2_read_name(const char *s, size_t len, char *name);

/* Read the header at the beginning of MESSAGE.  Return 0, or -1: it is none, or
 * asks for a channel binding. */
int smtpd__gs2_read(const char *message, struct smtpd_gs2 *out);

#endif
