/* SPDX-License-Identifier: MIT */
#include "maildir/stage.h"

#include <errno.h>
#include <fcntl.h>

#include "os/commit.h"
#include "os/fd.h"
#include "os/file.h"

int
smtpd__maildir_stage_enter(struct smtpd_maildir_target *t)
{
	if (t->dirs.dir >= 0)
		return 0;
	return smtpd__maildir_dirs_open(&t->dirs, t->path, t->root_len);
}

void
smtpd__maildir_stage_leave(
    struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	if (t != &m->targets[0])
		smtpd__maildir_dirs_close(&t->dirs);
}

/* Create a file for T in tmp/; return its descriptor, or -1. */
static int
create_file(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	for (int i = 0; i < SMTPD_MAILDIR_NAME_TRIES; i++) {
		int fd;

		smtpd__maildir_name_make(m->names, -1, t->name);
		fd = openat(t->dirs.tmp, t->name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0) {
			t->staged = true;
			return fd;
		}
		if (errno != EEXIST)
			break;
	}
	return -1;
}

/* Create the file of T, and write its header and the body in the buffer to it.
 * Return its descriptor, or -1. */
static int
begin_file(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	struct iovec parts[2] = {
		{ m->buf + t->header, t->header_len },
		{ m->buf + m->headers, m->body },
	};
	int fd = create_file(m, t);

	if (fd >= 0 && smtpd__file_write_parts(fd, parts, 2) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return fd;
}

int
smtpd__maildir_stage_spill(struct smtpd_maildir_message *m)
{
	if (m->spool >= 0) {
		if (smtpd__file_write(m->spool, m->buf + m->headers, m->body) ==
		    -1)
			return -1;
	} else {
		m->spool = begin_file(m, &m->targets[0]);
		if (m->spool == -1)
			return -1;
	}
	m->written += m->body;
	m->body = 0;
	return 0;
}

/* Append the whole body from the spool, FROM octets into it, to FD, through the
 * buffer. */
static int
copy_spool(struct smtpd_maildir_message *m, size_t from, int fd)
{
	char *buf = m->buf + m->headers;
	size_t size = m->buf_size - m->headers;
	size_t n;

	for (uint64_t done = 0; done < m->written; done += n) {
		uint64_t left = m->written - done;

		n = left < size ? (size_t)left : size;
		if (smtpd__file_read_at(m->spool, buf, n, from + done) == -1 ||
		    smtpd__file_write(fd, buf, n) == -1)
			return -1;
	}
	return 0;
}

/* Write the copy of T, which is not the first of a spooled message, and make
 * it durable. */
static int
stage_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	int fd = begin_file(m, t);

	if (fd == -1)
		return -1;
	if (copy_spool(m, m->targets[0].header_len, fd) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return smtpd__commit_file(fd);
}

int
smtpd__maildir_stage_all(struct smtpd_maildir_message *m)
{
	bool spooled = m->spool >= 0;
	int fd;

	if (spooled && smtpd__maildir_stage_spill(m) == -1)
		return -1;
	for (size_t i = spooled ? 1 : 0; i < m->ntargets; i++) {
		struct smtpd_maildir_target *t = &m->targets[i];
		int result = smtpd__maildir_stage_enter(t);

		if (result == 0)
			result = stage_copy(m, t);
		smtpd__maildir_stage_leave(m, t);
		if (result == -1)
			return -1;
	}
	if (!spooled)
		return 0;
	fd = m->spool;
	m->spool = -1;
	return smtpd__commit_file(fd);
}
