/* SPDX-License-Identifier: MIT */
/* pread() of files beyond 2 GiB, also where off_t is short by default. */
#define _FILE_OFFSET_BITS 64

#include "client/content.h"

#include <errno.h>
#include <unistd.h>

void
smtpd__client_content_begin(
    struct smtpd_client_content *c, const struct smtpd_outgoing *m)
{
	c->m = m;
	c->at = (uint64_t)m->offset;
	c->left = m->length;
}

int
smtpd__client_content_rewind(struct smtpd_client_content *c)
{
	const struct smtpd_outgoing *m = c->m;

	smtpd__client_content_begin(c, m);
	return m->read != NULL ? m->rewind(m->read_user) : 0;
}

ssize_t
smtpd__client_content_read(
    struct smtpd_client_content *c, char *buf, size_t size)
{
	size_t want = c->left < size ? (size_t)c->left : size;
	ssize_t n;

	if (c->m->read != NULL)
		return c->m->read(c->m->read_user, buf, size);
	if (want == 0)
		return 0;
	do {
		n = pread(c->m->fd, buf, want, (off_t)c->at);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	c->at += (uint64_t)n;
	c->left -= (uint64_t)n;
	return n;
}
