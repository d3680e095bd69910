/* SPDX-License-Identifier: MIT */
#include "queue/spool/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/spool/core.h"

/* What is allocated at first. */
#define ROOM_MIN 4096

struct smtpd_spool_content *
smtpd__spool_content_create(struct smtpd_spool *s)
{
	struct smtpd_spool_content *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->spool = s;
	return c;
}

/* Have room for LEN bytes, at most SMTPD_SPOOL_SMALL_MAX. */
static int
grow_buffer(struct smtpd_spool_content *c, size_t len)
{
	size_t room = c->room > 0 ? c->room : ROOM_MIN;
	unsigned char *data;

	while (room < len)
		room *= 2;
	if (room == c->room)
		return 0;
	data = realloc(c->data, room);
	if (data == NULL)
		return -1;
	c->data = data;
	c->room = room;
	return 0;
}

/* Write what is in memory to the large content, which is begun when there is
 * none. */
static int
spill_buffer(struct smtpd_spool_content *c)
{
	if (c->large == NULL)
		c->large = smtpd__content_begin(c->spool->journal);
	if (c->large == NULL ||
	    smtpd__content_write(c->large, c->data, c->len) == -1)
		return -1;
	c->crc = smtpd__crc32c(&c->spool->crc, c->crc, c->data, c->len);
	c->len = 0;
	return 0;
}

int
smtpd__spool_content_write(void *content, const void *data, size_t len)
{
	struct smtpd_spool_content *c = content;
	const unsigned char *at = data;
	size_t piece;

	for (; c->error == 0 && len > 0; at += piece, len -= piece) {
		piece = SMTPD_SPOOL_SMALL_MAX - c->len;
		if (piece > len)
			piece = len;
		if ((piece == 0 ? spill_buffer(c)
				: grow_buffer(c, c->len + piece)) == -1) {
			c->error = errno;
			break;
		}
		memcpy(c->data + c->len, at, piece);
		c->len += piece;
		c->size += piece;
	}
	if (c->error == 0)
		return 0;
	errno = c->error;
	return -1;
}

int
smtpd__spool_content_reserve(struct smtpd_spool_content *c, size_t len)
{
	static const char room[1024];

	c->reserved = len;
	while (len > 0) {
		size_t n = len < sizeof(room) ? len : sizeof(room);

		if (smtpd__spool_content_write(c, room, n) == -1)
			return -1;
		len -= n;
	}
	return 0;
}

/* The CRC of the file when its first bytes, which were zero, are those at
 * DATA. */
static uint32_t
replace_in_crc(const struct smtpd_spool_content *c, const void *data)
{
	static const char zeros[1024];
	uint32_t before = 0;

	for (size_t done = 0; done < c->reserved;) {
		size_t n = c->reserved - done;

		if (n > sizeof(zeros))
			n = sizeof(zeros);
		before = smtpd__crc32c(&c->spool->crc, before, zeros, n);
		done += n;
	}
	return smtpd__crc32c_join(
	    before ^ smtpd__crc32c(&c->spool->crc, 0, data, c->reserved),
	    c->crc, c->size - c->reserved);
}

int
smtpd__spool_content_fill(struct smtpd_spool_content *c, const void *data)
{
	if (c->large == NULL) {
		memcpy(c->data, data, c->reserved);
		return 0;
	}
	if (spill_buffer(c) == -1 ||
	    smtpd__content_overwrite(c->large, data, c->reserved) == -1) {
		c->error = errno;
		return -1;
	}
	c->crc = replace_in_crc(c, data);
	return 0;
}

ssize_t
smtpd__spool_content_read(
    const struct smtpd_spool_content *c, uint64_t offset, void *buf, size_t len)
{
	const uint64_t spilled = c->size - c->len;

	if (offset < spilled) {
		if (len > spilled - offset)
			len = (size_t)(spilled - offset);
		return smtpd__content_read_back(c->large, offset, buf, len);
	}
	if (len > c->size - offset)
		len = (size_t)(c->size - offset);
	if (len > 0)
		memcpy(buf, c->data + (offset - spilled), len);
	return (ssize_t)len;
}

int
smtpd__spool_content_publish(struct smtpd_spool_content *c, uint64_t id)
{
	struct smtpd_content_writer *large = c->large;

	if (spill_buffer(c) == -1)
		return -1;
	c->large = NULL;
	return smtpd__content_publish(large, id);
}

void
smtpd__spool_content_destroy(struct smtpd_spool_content *c)
{
	if (c == NULL)
		return;
	smtpd__content_abandon(c->large);
	free(c->data);
	free(c);
}
