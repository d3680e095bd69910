/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_SCRAM_H
#define SMTPD_SASL_SCRAM_H

/* What both ends of SCRAM-SHA-256 do alike (RFC 5802, 3; RFC 5802, 5.1; RFC
 * 7677, 3), without channel binding. */

#include <smtpd/auth.h>

#include "base/text.h"

/* Room for any message. */
#define SMTPD_SCRAM_MESSAGE_SIZE 1024

/* What both ends sign: their first messages and the last one of the client,
 * without its proof. */
#define SMTPD_SCRAM_SIGNED_SIZE (3 * SMTPD_SCRAM_MESSAGE_SIZE)

/* Iterations that may be asked for: fewer make the password easy to guess (RFC
 * 7677, 4), more would keep the client busy beyond any deadline. */
#define SMTPD_SCRAM_ITERATIONS_MIN 4096
#define SMTPD_SCRAM_ITERATIONS_MAX 1000000

/* The value of attribute NAME at *S, up to a comma or the end, *LEN bytes; *S
 * moves behind it.  NULL: it is another. */
const char *smtpd__scram_take(const char **s, char name, size_t *len);

/* Read a number of iterations within the bounds, LEN bytes at S.  Return 0 or
 * -1. */
int smtpd__scram_read_iterations(const char *s, size_t len, uint32_t *out);

/*
 * Derive the keys of PASSWORD with the salt and the iterations of KEY into it,
 * and the client's own into CLIENT_KEY of SMTPD_SCRAM_HASH_SIZE bytes.  Return
 * 0, or -1 when there are no digests.
 */
int smtpd__scram_derive(struct smtpd_scram_key *key, const char *password,
    unsigned char *client_key);

/* Sign TEXT with a key into SIGNATURE, both of SMTPD_SCRAM_HASH_SIZE bytes.
 * Return 0 or -1. */
int smtpd__scram_sign(
    const unsigned char *key, const char *text, unsigned char *signature);

#endif
