/* SPDX-License-Identifier: MIT */
#include "maildir/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "os/commit.h"
#include "os/fd.h"
#include "os/file.h"

/* What is copied at a time where the buffer is in use. */
#define COPY_SIZE 16384

/* Create a file for T in tmp/, and write its header to it, and BODY octets of
 * that in the buffer.  Return its descriptor, or -1. */
static int
begin_file(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t,
    size_t body)
{
	struct iovec parts[2] = {
		{ m->buf + t->header, t->header_len },
		{ m->buf + m->headers, body },
	};
	int fd = -1;

	for (int i = 0; fd == -1 && i < SMTPD_MAILDIR_NAME_TRIES; i++) {
		smtpd__maildir_name_make(m->names, -1, t->name);
		fd = openat(t->dirs.tmp, t->name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd == -1 && errno != EEXIST)
			return -1;
	}
	if (fd == -1)
		return -1;
	t->staged = true;
	if (smtpd__file_write_parts(fd, parts, 2) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return fd;
}

/* Copy the body that the file FROM has behind a header of HEADER_LEN octets to
 * TO, through BUF of SIZE octets. */
static int
copy_body(const struct smtpd_maildir_message *m, int from, size_t header_len,
    int to, char *buf, size_t size)
{
	size_t n;

	for (uint64_t done = 0; done < m->written; done += n) {
		uint64_t left = m->written - done;

		n = left < size ? (size_t)left : size;
		if (smtpd__file_read_at(from, buf, n, header_len + done) ==
			-1 ||
		    smtpd__file_write(to, buf, n) == -1)
			return -1;
	}
	return 0;
}

/* Write the octets in the buffer to the file of the lead. */
static int
write_lead(struct smtpd_maildir_message *m)
{
	struct smtpd_maildir_target *lead = &m->targets[m->lead];

	if (m->spool >= 0)
		return smtpd__file_write(
		    m->spool, m->buf + m->headers, m->body);
	if (smtpd__maildir_target_enter(lead) == -1)
		return -1;
	m->spool = begin_file(m, lead, m->body);
	return m->spool >= 0 ? 0 : -1;
}

/* Begin the file of the lead with what FROM, that of a target with a header of
 * HEADER_LEN octets, has of the body. */
static int
copy_lead(struct smtpd_maildir_message *m, int from, size_t header_len)
{
	struct smtpd_maildir_target *lead = &m->targets[m->lead];
	char *buf = malloc(COPY_SIZE);
	int fd = -1;

	if (buf != NULL && smtpd__maildir_target_enter(lead) == 0)
		fd = begin_file(m, lead, 0);
	if (fd >= 0 &&
	    copy_body(m, from, header_len, fd, buf, COPY_SIZE) == -1) {
		smtpd__fd_close(fd);
		fd = -1;
	}
	free(buf);
	m->spool = fd;
	return fd >= 0 ? 0 : -1;
}

/* The lead failed, for errno: let the next target lead that can. */
static int
change_lead(struct smtpd_maildir_message *m)
{
	struct smtpd_maildir_target *old = &m->targets[m->lead];
	int from = m->spool;
	bool goes_on = smtpd__maildir_target_spare(m, m->lead);
	int error;

	m->spool = -1;
	while (goes_on) {
		m->lead = smtpd__maildir_target_first(m);
		if (from == -1 || copy_lead(m, from, old->header_len) == 0)
			break;
		goes_on = smtpd__maildir_target_spare(m, m->lead);
	}
	error = errno;
	smtpd__fd_close(from);
	smtpd__maildir_target_remove(old);
	errno = error;
	return goes_on ? 0 : -1;
}

int
smtpd__maildir_stage_spill(struct smtpd_maildir_message *m)
{
	if (m->spool == -1)
		m->lead = smtpd__maildir_target_first(m);
	while (write_lead(m) == -1)
		if (change_lead(m) == -1)
			return -1;
	m->written += m->body;
	m->body = 0;
	return 0;
}

/* Put a copy of the message into tmp/ of T, unless T leads: it has the body. */
static int
stage_copy(struct smtpd_maildir_message *m, struct smtpd_maildir_target *t)
{
	const struct smtpd_maildir_target *lead = &m->targets[m->lead];
	int fd;

	if (m->spool >= 0 && t == lead)
		return 0;
	fd = begin_file(m, t, m->body);
	if (fd == -1)
		return -1;
	if (m->spool >= 0 &&
	    copy_body(m, m->spool, lead->header_len, fd, m->buf + m->headers,
		m->buf_size - m->headers) == -1) {
		smtpd__fd_close(fd);
		return -1;
	}
	return smtpd__commit_file(fd);
}

int
smtpd__maildir_stage_all(struct smtpd_maildir_message *m)
{
	struct smtpd_maildir_target *lead;
	int fd;

	if (m->spool == -1)
		return smtpd__maildir_target_each(m, stage_copy);
	if (smtpd__maildir_stage_spill(m) == -1 ||
	    smtpd__maildir_target_each(m, stage_copy) == -1)
		return -1;
	/* The copies were made from the file of the lead: end it too. */
	lead = &m->targets[m->lead];
	fd = m->spool;
	m->spool = -1;
	if (lead->dropped) {
		smtpd__fd_close(fd);
		smtpd__maildir_target_remove(lead);
		return 0;
	}
	if (smtpd__commit_file(fd) == 0 ||
	    smtpd__maildir_target_spare(m, m->lead))
		return 0;
	return -1;
}
