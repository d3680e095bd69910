/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_DKIM_SIGNATURE_H
#define SMTPD_DKIM_SIGNATURE_H

/*
 * A DKIM-Signature field (RFC 6376, 3.5): its text has its length before the
 * body was seen, and is completed in place.
 */

#include <stdint.h>

#include "base/pack.h"
#include "dkim/header.h"
#include "dkim/signer.h"

struct smtpd_dkim_signature {
	const struct smtpd_dkim_signer_key *key;
	struct smtpd_pack text; /* the whole field, with its CRLF */
	size_t hash_at;         /* where the value of bh= stands */
	size_t value_at;        /* and that of b=, to the end */
};

/* Begin the field for HEADER, signed with KEY at the time NOW_S, 0: it does not
 * say when.  Return 0, or -1 without memory.  It is to be finished in any
 * case. */
int smtpd__dkim_signature_begin(struct smtpd_dkim_signature *s,
    const struct smtpd_dkim_signer_key *key,
    const struct smtpd_dkim_header *header, uint64_t now_s);

/* Complete it for a body whose digest is BODY.  Return 0, or -1: the key
 * failed. */
int smtpd__dkim_signature_end(struct smtpd_dkim_signature *s,
    const struct smtpd_dkim_header *header, const unsigned char *body);

void smtpd__dkim_signature_finish(struct smtpd_dkim_signature *s);

#endif
