/* SPDX-License-Identifier: MIT */
#include "journal/disk/window.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/disk/format.h"

/* How much is read at a time. */
#define STEP 262144u

int
smtpd__disk_window_init(struct smtpd_disk_window *w, int fd)
{
	struct stat st;

	memset(w, 0, sizeof(*w));
	if (fstat(fd, &st) == -1)
		return -1;
	w->fd = fd;
	w->file_size = (uint64_t)st.st_size;
	w->size = STEP;
	w->buf = malloc(w->size);
	return w->buf != NULL ? 0 : -1;
}

void
smtpd__disk_window_finish(struct smtpd_disk_window *w)
{
	free(w->buf);
	w->buf = NULL;
}

static ssize_t
read_at(const struct smtpd_disk_window *w, size_t done, size_t len)
{
	ssize_t n;

	do
		n = pread(w->fd, w->buf + done, len, (off_t)(w->from + done));
	while (n == -1 && errno == EINTR);
	return n;
}

/* Read some bytes behind the first DONE.  Return how many, or -1 with errno; a
 * bad sector costs its page and nothing else. */
static ssize_t
read_some(const struct smtpd_disk_window *w, size_t done)
{
	size_t rest = w->size - done;
	size_t page = SMTPD_DISK_PAGE - (w->from + done) % SMTPD_DISK_PAGE;
	ssize_t n = read_at(w, done, rest);

	if (n == -1)
		n = read_at(w, done, page < rest ? page : rest);
	if (n != 0)
		return n;
	memset(w->buf + done, 0, rest);
	return (ssize_t)rest;
}

const uint8_t *
smtpd__disk_window_at(struct smtpd_disk_window *w, uint64_t offset, size_t len)
{
	if (offset >= w->from && offset + len <= w->from + w->len)
		return w->buf + (offset - w->from);
	if (len > w->size) {
		uint8_t *buf = realloc(w->buf, len);

		if (buf == NULL)
			return NULL;
		w->buf = buf;
		w->size = len;
	}
	w->from = offset;
	w->len = 0;
	while (w->len < w->size) {
		ssize_t n = read_some(w, w->len);

		if (n == -1)
			break;
		w->len += (size_t)n;
	}
	/* What was read ahead need not be readable. */
	return w->len >= len ? w->buf : NULL;
}
