/* SPDX-License-Identifier: MIT */
#include "server/dot_source.h"

#include "base/container.h"

/* Decode what the input holds into BUF of SIZE bytes (NULL: drop it).  Return
 * the number of bytes, which may be 0 before the end, or -1. */
static ssize_t
decode_block(struct smtpd_dot_source *d, char *buf, size_t size)
{
	size_t len, before, made;
	const char *at = smtpd__body_input_peek(d->in, &len);

	if (at == NULL)
		return -1;
	before = len;
	made = smtpd__dot_decode(&d->dot, &at, &len, buf, size);
	smtpd__body_input_take(d->in, before - len);
	d->source.found = d->dot.lines.found;
	return (ssize_t)made;
}

static ssize_t
read_dot(struct smtpd_body_source *src, char *buf, size_t size)
{
	struct smtpd_dot_source *d =
	    SMTPD_CONTAINER_OF(src, struct smtpd_dot_source, source);
	ssize_t n = 0;

	while (n == 0 && !d->dot.done)
		n = decode_block(d, buf, size);
	return n;
}

static bool
finish_dot(struct smtpd_body_source *src)
{
	struct smtpd_dot_source *d =
	    SMTPD_CONTAINER_OF(src, struct smtpd_dot_source, source);

	while (!d->dot.done) {
		if (decode_block(d, NULL, 0) == -1)
			return false;
	}
	return true;
}

void
smtpd__dot_source_init(
    struct smtpd_dot_source *d, struct smtpd_body_input *in, uint32_t max_line)
{
	d->source = (struct smtpd_body_source){
		.read = read_dot,
		.finish = finish_dot,
	};
	d->in = in;
	smtpd__dot_init(&d->dot, max_line);
}
