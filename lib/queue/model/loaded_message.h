/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_MODEL_LOADED_MESSAGE_H
#define SMTPD_QUEUE_MODEL_LOADED_MESSAGE_H

/* A message as it was read back from the spool: to be sent, shown, or
 * reported. */

#include <smtpd/outgoing.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct smtpd_content_reader;

struct smtpd_loaded_message {
	uint64_t id;
	uint64_t arrived_ms; /* since 1970 */

	/* The recipients of one job are side by side. */
	struct smtpd_outgoing_envelope envelope;

	/* The content: SIZE octets in memory, or when that is NULL, of
	 * LARGE. */
	const char *content;
	struct smtpd_content_reader *large;
	uint64_t size;
	uint32_t crc; /* CRC-32C of that of LARGE */

	void *memory; /* what all of the above points into */
};

/* Read up to LEN octets of the content of LOADED, a struct
 * smtpd_loaded_message, from OFFSET on into BUF: this is a
 * smtpd_content_read_fn.  Return how many, 0 at the end, or -1 with errno.  Any
 * thread. */
ssize_t smtpd__loaded_message_read(
    const void *loaded, uint64_t offset, void *buf, size_t len);

/* Read all of a large content, and check that it is what was written.  What is
 * in memory was checked already.  Return 0, or -1 with errno: EBADMSG when it
 * is damaged. */
int smtpd__loaded_message_check(const struct smtpd_loaded_message *l);

/* Close and free what L holds. */
void smtpd__loaded_message_finish(struct smtpd_loaded_message *l);

#endif
