/* SPDX-License-Identifier: MIT */
#include "drop_read.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
drop_read_init(struct drop_read *r, int fd)
{
	*r = (struct drop_read){ .fd = fd };
}

static int
fail_read(struct drop_read *r, const char *fault)
{
	r->fault = fault;
	return -1;
}

/* Have something in the buffer.  Return 1, 0 at the end, or -1 with errno. */
static int
fill_buffer(struct drop_read *r)
{
	ssize_t n;

	if (r->at < r->len)
		return 1;
	do
		n = read(r->fd, r->buf, sizeof(r->buf));
	while (n == -1 && errno == EINTR);
	r->at = 0;
	r->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

int
drop_read_line(struct drop_read *r, const char **value)
{
	size_t len = 0;
	int status = 1;
	char c = '\0';

	if (r->format.begun && r->format.key == DROP_FORMAT_DATA)
		return 0;
	while (len < sizeof(r->line) && (status = fill_buffer(r)) == 1) {
		c = r->buf[r->at++];
		if (c == '\n')
			break;
		r->line[len++] = c;
	}
	if (status == -1)
		return -1;
	if (status == 0)
		return fail_read(r, drop_format_end(&r->format));
	if (c != '\n')
		return fail_read(r, "a line is too long");
	r->fault = drop_format_line(&r->format, r->line, len, value);
	return r->fault == NULL ? 1 : -1;
}

int
drop_read_block(struct drop_read *r, const char **data, size_t *len)
{
	int status = fill_buffer(r);

	if (status == -1)
		return -1;
	if (status == 0) {
		r->fault = drop_format_end(&r->format);
		return r->fault == NULL ? 0 : -1;
	}
	*data = r->buf + r->at;
	*len = r->len - r->at;
	r->at = r->len;
	r->fault = drop_format_content(&r->format, *data, *len);
	return r->fault == NULL ? 1 : -1;
}
