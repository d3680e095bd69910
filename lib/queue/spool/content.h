/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CONTENT_H
#define SMTPD_QUEUE_SPOOL_CONTENT_H

/*
 * The content of a message while it comes in: in memory up to 64 KiB, then as
 * a large one of the journal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct smtpd_content_writer;
struct smtpd_spool;

/* Only the spool looks into it. */
struct smtpd_spool_content {
	struct smtpd_spool *spool;
	unsigned char *data;
	size_t len;
	size_t room;
	uint64_t size;
	size_t reserved; /* bytes it begins with that are to be filled */
	uint32_t crc;    /* of what is not in memory */
	int error;       /* an errno: a write failed before */
	struct smtpd_content_writer *large; /* NULL: all of it is in memory */
};

/* Begin a content.  NULL without memory. */
struct smtpd_spool_content *smtpd__spool_content_create(struct smtpd_spool *s);

/* Append LEN bytes to CONTENT, a struct smtpd_spool_content: this is a
 * smtpd_sink_fn.  Return 0, or -1 with errno. */
int smtpd__spool_content_write(void *content, const void *data, size_t len);

/* Begin the empty CONTENT with LEN bytes, which are set later.  Return as
 * above. */
int smtpd__spool_content_reserve(struct smtpd_spool_content *c, size_t len);

/* Set the bytes that were reserved to those at DATA.  Return as above. */
int smtpd__spool_content_fill(struct smtpd_spool_content *c, const void *data);

/* Read up to LEN bytes at OFFSET of C into BUF.  Return how many, 0 at the end,
 * or -1 with errno. */
ssize_t smtpd__spool_content_read(const struct smtpd_spool_content *c,
    uint64_t offset, void *buf, size_t len);

/* Free a content; NULL is fine. */
void smtpd__spool_content_destroy(struct smtpd_spool_content *c);

/* Make a large content durable as that of ID.  Return 0, or -1 with errno. */
int smtpd__spool_content_publish(struct smtpd_spool_content *c, uint64_t id);

#endif
