/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_SCRAM_H
#define SMTPD_SASL_SCRAM_H

/* The client's messages of SCRAM-SHA-256 (RFC 5802, 7; RFC 7677, 3), without
 * channel binding. */

#include <stdbool.h>
#include <stddef.h>

#include "crypto/digest.h"

/* Room for any message. */
#define SMTPD_SCRAM_MESSAGE_SIZE 1024

struct smtpd_scram {
	char first[SMTPD_SCRAM_MESSAGE_SIZE]; /* client-first-message-bare */
	unsigned char server_signature[SMTPD_SHA256_SIZE];
	const char *nonce; /* the client's, within first */
	bool ready;        /* the signature is known */
};

/*
 * Begin for USER with NONCE, printable and without a comma: the first message
 * into OUT of SMTPD_SCRAM_MESSAGE_SIZE bytes.  Return 0, or -1 if it is too
 * long.
 */
int smtpd__scram_begin(
    struct smtpd_scram *s, const char *user, const char *nonce, char *out);

/*
 * Answer CHALLENGE, the server's first message, by PASSWORD: the last message
 * into OUT of SMTPD_SCRAM_MESSAGE_SIZE bytes.  Return 0, or -1: it is no such
 * message, is not an answer to ours, or asks for too little or too much work.
 */
int smtpd__scram_answer(struct smtpd_scram *s, const char *challenge,
    const char *password, char *out);

/* Whether FINAL, the server's last message, shows that it knows the password
 * too. */
bool smtpd__scram_is_server(const struct smtpd_scram *s, const char *final);

#endif
