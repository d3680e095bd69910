/* SPDX-License-Identifier: MIT */
#ifndef DROP_READ_H
#define DROP_READ_H

/*
 * A message of the drop box read from a descriptor, once, from its beginning to
 * its end: its lines first, and then its content in blocks.
 */

#include "drop_format.h"

struct drop_read {
	int fd;
	struct drop_format format;
	char line[DROP_FORMAT_LINE_MAX];
	char buf[16384];
	size_t at, len;
	const char *fault; /* what is wrong with it; NULL: errno says */
};

void drop_read_init(struct drop_read *r, int fd);

/* Read a line of the envelope; the value of the one with r->format.key goes to
 * *VALUE, until the next call.  Return 1, 0 behind the last one, or -1. */
int drop_read_line(struct drop_read *r, const char **value);

/* Read a block of the content, *LEN octets at *DATA, until the next call.
 * Return 1, 0 at its end, with nothing behind it, or -1. */
int drop_read_block(struct drop_read *r, const char **data, size_t *len);

#endif
