/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_CHUNK_SOURCE_H
#define SMTPD_SERVER_CHUNK_SOURCE_H

/*
 * The message that comes in the chunks of BDAT (RFC 3030, 2), as a source of
 * the body.  It answers each chunk but the last, and reads the command behind
 * it.
 */

#include "grammar/chunk.h"
#include "grammar/line_scan.h"
#include "server/body_input.h"
#include "server/body_source.h"

struct smtpd_chunk_source {
	struct smtpd_body_source source;
	struct smtpd_body_input *in;
	struct smtpd_chunk chunk; /* the present one */
	uint64_t left;            /* of its octets */
	bool binary;              /* octets, not lines */
	bool to_the_last;         /* even if it is refused: in LMTP the replies
	                           * follow the last chunk (RFC 2033, 4.3) */
	struct smtpd_line_scan lines;
	bool done; /* the last chunk is over, or a refused one */
	bool cut;  /* there is no next chunk: the input failed, or holds
	            * another command, which is left there */
};

/* Begin a message from IN with its first chunk, CHUNK. */
void smtpd__chunk_source_init(struct smtpd_chunk_source *c,
    struct smtpd_body_input *in, const struct smtpd_chunk *chunk);

#endif
