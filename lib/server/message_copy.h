/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_MESSAGE_COPY_H
#define SMTPD_SERVER_MESSAGE_COPY_H

/*
 * A message that is kept while it is worked on, to be read as often as is
 * wanted: its beginning in memory, the rest in a file without a name.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/budget.h"

/* So many octets stay in memory. */
#define SMTPD_MESSAGE_COPY_MEMORY 65536

struct smtpd_message_copy {
	const char *directory;       /* of the file */
	struct smtpd_budget *budget; /* for the octets of the file */
	uint64_t taken;              /* of it */
	uint64_t octets;
	char *memory;
	size_t room; /* of the memory */
	int fd;      /* of the file; -1: there is none */
};

/* Begin an empty one, which opens nothing yet. */
void smtpd__message_copy_init(struct smtpd_message_copy *c,
    const char *directory, struct smtpd_budget *budget);

/* Append LEN bytes at DATA.  Return 0, or -1 with errno, ENOSPC without room;
 * then C is of no more use. */
int smtpd__message_copy_add(
    struct smtpd_message_copy *c, const char *data, size_t len);

/* Read up to SIZE bytes, AT octets into the message, to BUF.  Return their
 * number, 0 at its end, or -1 with errno. */
ssize_t smtpd__message_copy_read(
    const struct smtpd_message_copy *c, uint64_t at, char *buf, size_t size);

/* Free what C holds. */
void smtpd__message_copy_finish(struct smtpd_message_copy *c);

#endif
