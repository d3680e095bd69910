/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CONTENT_H
#define SMTPD_QUEUE_SPOOL_CONTENT_H

/*
 * The content of a message while it comes in: in memory up to 64 KiB, then in
 * a file in tmp/.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the name of a file in tmp/, with its NUL. */
#define SMTPD_SPOOL_NAME_MAX 64

struct smtpd_spool;

/* Only the spool looks into it. */
struct smtpd_spool_content {
	struct smtpd_spool *spool;
	unsigned char *data;
	size_t len;
	size_t room;
	uint64_t size;
	uint32_t crc; /* of what was written to a file */
	int error;    /* an errno: a write failed before */
	int fd;       /* in tmp/; -1: all of it is in memory */
	char name[SMTPD_SPOOL_NAME_MAX];
};

/* Begin a content.  NULL without memory. */
struct smtpd_spool_content *smtpd__spool_content_create(struct smtpd_spool *s);

/* Append LEN bytes.  Return 0, or -1 with errno. */
int smtpd__spool_content_write(
    struct smtpd_spool_content *c, const void *data, size_t len);

/* Free a content, and its file unless it was published; NULL is fine. */
void smtpd__spool_content_destroy(struct smtpd_spool_content *c);

/* Whether it is too large for the log. */
bool smtpd__spool_content_is_large(const struct smtpd_spool_content *c);

/* Move a large content to large/, durably.  Return 0, or -1 with errno. */
int smtpd__spool_content_publish(struct smtpd_spool_content *c, uint64_t id);

#endif
