/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_SCRAM_CLIENT_H
#define SMTPD_SASL_SCRAM_CLIENT_H

/* The client's messages of SCRAM-SHA-256 (RFC 5802, 7). */

#include <stdbool.h>

#include "sasl/scram.h"

struct smtpd_scram_client {
	char first[SMTPD_SCRAM_MESSAGE_SIZE]; /* client-first-message-bare */
	const char *nonce;                    /* within first */
	unsigned char server_signature[SMTPD_SCRAM_HASH_SIZE];
	bool ready; /* the signature is known */
};

/*
 * Begin for USER with NONCE, printable and without a comma: the first message
 * into OUT of SMTPD_SCRAM_MESSAGE_SIZE bytes.  Return 0, or -1 if it is too
 * long.
 */
int smtpd__scram_client_begin(struct smtpd_scram_client *s, const char *user,
    const char *nonce, char *out);

/*
 * Answer CHALLENGE, the server's first message, by PASSWORD: the last message
 * into OUT of SMTPD_SCRAM_MESSAGE_SIZE bytes.  Return 0, or -1: it is no such
 * message, is not an answer to ours, or asks for too little or too much work.
 */
int smtpd__scram_client_answer(struct smtpd_scram_client *s,
    const char *challenge, const char *password, char *out);

/* Whether FINAL, the server's last message, shows that it knows the password
 * too. */
bool smtpd__scram_client_trusts(
    const struct smtpd_scram_client *s, const char *final);

#endif
