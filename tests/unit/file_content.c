/* SPDX-License-Identifier: MIT */
#include "file_content.h"

#include <unistd.h>

static ssize_t
read_at(const struct smtpd_content_reader *r, uint64_t offset, void *buf,
    size_t len)
{
	return pread(
	    ((const struct file_content *)r)->fd, buf, len, (off_t)offset);
}

static void
close_nothing(struct smtpd_content_reader *r)
{
	(void)r;
}

void
file_content_init(struct file_content *c, int fd)
{
	static const struct smtpd_content_ops ops = {
		.read_at = read_at,
		.close = close_nothing,
	};

	c->fd = fd;
	c->journal = (struct smtpd_journal){ .contents = &ops };
	c->reader = (struct smtpd_content_reader){ .journal = &c->journal };
}
