/* SPDX-License-Identifier: MIT */
#include "queue/model/loaded_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/content.h"

ssize_t
smtpd__loaded_message_read(
    const void *loaded, uint64_t offset, void *buf, size_t len)
{
	const struct smtpd_loaded_message *l = loaded;
	ssize_t n;

	if (offset >= l->size)
		return 0;
	if (len > l->size - offset)
		len = (size_t)(l->size - offset);
	if (l->content != NULL) {
		memcpy(buf, l->content + offset, len);
		return (ssize_t)len;
	}
	n = smtpd__content_read_at(l->large, offset, buf, len);
	if (n != 0 || len == 0)
		return n;
	/* It has become shorter. */
	errno = EIO;
	return -1;
}

int
smtpd__loaded_message_check(const struct smtpd_loaded_message *l)
{
	struct check {
		struct smtpd_crc32c crc;
		char buf[65536];
	} *check;
	uint64_t done = 0;
	uint32_t crc = 0;
	ssize_t n;

	if (l->content != NULL)
		return 0;
	check = malloc(sizeof(*check));
	if (check == NULL)
		return -1;
	smtpd__crc32c_init(&check->crc);
	while ((n = smtpd__loaded_message_read(
		    l, done, check->buf, sizeof(check->buf))) > 0) {
		crc = smtpd__crc32c(&check->crc, crc, check->buf, (size_t)n);
		done += (uint64_t)n;
	}
	free(check);
	if (n == -1)
		return -1;
	if (crc == l->crc)
		return 0;
	errno = EBADMSG;
	return -1;
}

void
smtpd__loaded_message_finish(struct smtpd_loaded_message *l)
{
	smtpd__content_close(l->large);
	free(l->memory);
	l->large = NULL;
	l->memory = NULL;
}
