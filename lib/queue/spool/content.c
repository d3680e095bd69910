/* SPDX-License-Identifier: MIT */
#include "queue/spool/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/commit.h"
#include "os/fd.h"
#include "os/file.h"
#include "queue/spool/file.h"

/* What is allocated at first. */
#define ROOM_MIN 4096

struct smtpd_spool_content *
smtpd__spool_content_create(struct smtpd_spool *s)
{
	struct smtpd_spool_content *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->spool = s;
	c->fd = -1;
	return c;
}

/* Have room for LEN bytes, at most SMTPD_SPOOL_SMALL_MAX. */
static int
reserve(struct smtpd_spool_content *c, size_t len)
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

/* Write what is in memory to the file, which is made when there is none. */
static int
spill(struct smtpd_spool_content *c)
{
	if (c->fd == -1)
		c->fd = smtpd__spool_file_make(c->spool, c->name);
	if (c->fd == -1 || smtpd__file_write(c->fd, c->data, c->len) == -1)
		return -1;
	c->crc = smtpd__crc32c(&c->spool->crc, c->crc, c->data, c->len);
	c->len = 0;
	return 0;
}

static int
append(struct smtpd_spool_content *c, const unsigned char *data, size_t len)
{
	while (len > 0) {
		size_t room = SMTPD_SPOOL_SMALL_MAX - c->len;
		size_t piece = len < room ? len : room;

		if (piece == 0) {
			if (spill(c) == -1)
				return -1;
			continue;
		}
		if (reserve(c, c->len + piece) == -1)
			return -1;
		memcpy(c->data + c->len, data, piece);
		c->len += piece;
		c->size += piece;
		data += piece;
		len -= piece;
	}
	return 0;
}

int
smtpd__spool_content_write(
    struct smtpd_spool_content *c, const void *data, size_t len)
{
	if (c->error == 0 && append(c, data, len) == -1)
		c->error = errno;
	if (c->error == 0)
		return 0;
	errno = c->error;
	return -1;
}

bool
smtpd__spool_content_is_large(const struct smtpd_spool_content *c)
{
	return c->fd != -1;
}

/* Return -1, errno as it is. */
static int
take_back(int dir, const char *name)
{
	int error = errno;

	unlinkat(dir, name, 0);
	errno = error;
	return -1;
}

int
smtpd__spool_content_publish(struct smtpd_spool_content *c, uint64_t id)
{
	struct smtpd_spool *s = c->spool;
	char name[SMTPD_ID_SIZE];
	int fd, status;

	if (spill(c) == -1)
		return -1;
	smtpd__id_write(id, name);
	fd = c->fd;
	c->fd = -1;
	status = smtpd__commit_file(fd);
	if (status == 0)
		status = smtpd__commit_move(s->tmp, c->name, s->large, name);
	if (status == -1)
		return take_back(s->tmp, c->name);
	if (smtpd__commit_directory(s->large) == -1)
		return take_back(s->large, name);
	return 0;
}

void
smtpd__spool_content_destroy(struct smtpd_spool_content *c)
{
	if (c == NULL)
		return;
	if (c->fd != -1) {
		smtpd__fd_close(c->fd);
		unlinkat(c->spool->tmp, c->name, 0);
	}
	free(c->data);
	free(c);
}
