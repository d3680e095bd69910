/* SPDX-License-Identifier: MIT */
#include "server/message_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"

/* The memory at first. */
#define FIRST_ROOM 4096

void
smtpd__message_copy_init(struct smtpd_message_copy *c, const char *directory,
    struct smtpd_budget *budget)
{
	*c = (struct smtpd_message_copy){
		.directory = directory,
		.budget = budget,
		.fd = -1,
	};
}

/* Let the memory hold LEN octets.  Return 0, or -1. */
static int
make_room(struct smtpd_message_copy *c, size_t len)
{
	size_t room = c->room > 0 ? c->room : FIRST_ROOM;
	char *memory;

	while (room < len)
		room *= 2;
	if (room == c->room)
		return 0;
	memory = realloc(c->memory, room);
	if (memory == NULL)
		return -1;
	c->memory = memory;
	c->room = room;
	return 0;
}

/* How much of LEN octets, AT octets into a message, is in memory. */
static size_t
len_in_memory(uint64_t at, size_t len)
{
	if (at >= SMTPD_MESSAGE_COPY_MEMORY)
		return 0;
	return len < SMTPD_MESSAGE_COPY_MEMORY - at
	    ? len
	    : (size_t)(SMTPD_MESSAGE_COPY_MEMORY - at);
}

/* Append LEN bytes at DATA to the file. */
static int
add_to_file(struct smtpd_message_copy *c, const char *data, size_t len)
{
	if (!smtpd__budget_take(c->budget, len)) {
		errno = ENOSPC;
		return -1;
	}
	c->taken += len;
	if (c->fd == -1)
		c->fd = smtpd__file_open_unnamed(c->directory);
	return c->fd == -1 ? -1 : smtpd__file_write(c->fd, data, len);
}

int
smtpd__message_copy_add(
    struct smtpd_message_copy *c, const char *data, size_t len)
{
	size_t n = len_in_memory(c->octets, len);

	if (n > 0) {
		if (make_room(c, (size_t)c->octets + n) == -1)
			return -1;
		memcpy(c->memory + c->octets, data, n);
	}
	if (n < len && add_to_file(c, data + n, len - n) == -1)
		return -1;
	c->octets += len;
	return 0;
}

ssize_t
smtpd__message_copy_read(
    const struct smtpd_message_copy *c, uint64_t at, char *buf, size_t size)
{
	size_t n;

	if (size > c->octets - at)
		size = (size_t)(c->octets - at);
	n = len_in_memory(at, size);
	if (n > 0) {
		memcpy(buf, c->memory + at, n);
		return (ssize_t)n;
	}
	if (size > 0 &&
	    smtpd__file_read_at(
		c->fd, buf, size, at - SMTPD_MESSAGE_COPY_MEMORY) == -1)
		return -1;
	return (ssize_t)size;
}

void
smtpd__message_copy_finish(struct smtpd_message_copy *c)
{
	free(c->memory);
	if (c->fd != -1)
		close(c->fd);
	smtpd__budget_give(c->budget, c->taken);
}
