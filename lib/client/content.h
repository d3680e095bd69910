/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_CONTENT_H
#define SMTPD_CLIENT_CONTENT_H

/* The content of a message, as its program gives it. */

#include <smtpd/client.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One reading of it. */
struct smtpd_client_content {
	const struct smtpd_outgoing *m;
	uint64_t at, left; /* of the descriptor */
};

/* Begin to read the content of M. */
void smtpd__client_content_begin(
    struct smtpd_client_content *c, const struct smtpd_outgoing *m);

/* Begin anew.  Return 0, or -1 when that cannot be. */
int smtpd__client_content_rewind(struct smtpd_client_content *c);

/* Read up to SIZE bytes into BUF.  Return how many, 0 at the end, -1 when the
 * content cannot be read; a descriptor that ends before its length counts as
 * that. */
ssize_t smtpd__client_content_read(
    struct smtpd_client_content *c, char *buf, size_t size);

#endif
