/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SASL_SCRAM_SERVER_H
#define SMTPD_SASL_SCRAM_SERVER_H

/* The server's messages of SCRAM-SHA-256 (RFC 5802, 7). */

#include <stdbool.h>

#include "sasl/gs2.h"
#include "sasl/scram.h"

struct smtpd_scram_server {
	char first[SMTPD_SCRAM_MESSAGE_SIZE]; /* the client's first message */
	struct smtpd_gs2 gs2;                 /* its header */
	char user[SMTPD_SASL_NAME_SIZE];
	char challenge[SMTPD_SCRAM_MESSAGE_SIZE]; /* ours */
	struct smtpd_scram_key key;               /* of the user */
};

/* Read MESSAGE, the client's first, which says who it is.  Return 0, or -1 if
 * it is none. */
int smtpd__scram_server_begin(
    struct smtpd_scram_server *s, const char *message);

/* Make the challenge with KEY and NONCE, printable and without a comma.  Return
 * 0, or -1 if it would be too long. */
int smtpd__scram_server_challenge(struct smtpd_scram_server *s,
    const struct smtpd_scram_key *key, const char *nonce);

/* What a client's last message shows. */
enum smtpd_scram_proof {
	SMTPD_SCRAM_PROOF_RIGHT,
	SMTPD_SCRAM_PROOF_WRONG,
	SMTPD_SCRAM_PROOF_NONE, /* it is no such message, or not an answer */
};

/* Judge MESSAGE, the client's last.  If it is right, our last message is
 * written to OUT of SMTPD_SCRAM_MESSAGE_SIZE bytes. */
enum smtpd_scram_proof smtpd__scram_server_judge(
    const struct smtpd_scram_server *s, const char *message, char *out);

#endif
