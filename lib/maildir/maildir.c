/* SPDX-License-Identifier: MIT */
#include <smtpd/maildir.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "base/sizes.h"
#include "maildir/name.h"
#include "maildir/publish.h"
#include "maildir/stage.h"
#include "maildir/target.h"
#include "os/disk_space.h"
#include "os/fd.h"
#include "os/nodename.h"

/* A message lies in memory up to BODY_MAX octets, and is written from there in
 * pieces of as much: with its headers 64 KiB, which malloc() need not map. */
#define BODY_MAX 61440

struct smtpd_maildir {
	struct smtpd_maildir_names names;
	struct smtpd_maildir_synced synced;
	struct smtpd_disk_space space;
	int root; /* on its disk, or -1 */
};

/* Copy the host name of SETTINGS, or that of the machine, to HOST.  Return 0,
 * or -1 with errno. */
static int
choose_host(const struct smtpd_maildir_settings *settings, char *host)
{
	const char *given = settings->hostname;

	if (given == NULL)
		smtpd__nodename_get(host, SMTPD_HOSTNAME_SIZE);
	else if (strlen(given) < SMTPD_HOSTNAME_SIZE)
		memcpy(host, given, strlen(given) + 1);
	else
		host[0] = '\0';
	errno = EINVAL;
	return host[0] != '\0' ? 0 : -1;
}

struct smtpd_maildir *
smtpd_maildir_create(const struct smtpd_maildir_settings *settings)
{
	struct smtpd_maildir_settings set;
	char host[SMTPD_HOSTNAME_SIZE];
	struct smtpd_maildir *md;
	int root = -1;

	if (smtpd__sized_copy(&set, sizeof(set), settings) == -1 ||
	    choose_host(&set, host) == -1)
		return NULL;
	if (set.root != NULL) {
		root = open(set.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root == -1)
			return NULL;
	}
	md = calloc(1, sizeof(*md));
	if (md == NULL || smtpd__maildir_name_init(&md->names, host) == -1) {
		free(md);
		smtpd__fd_close(root);
		return NULL;
	}
	smtpd__maildir_synced_init(&md->synced);
	md->root = root;
	smtpd__disk_space_init(&md->space, root, set.min_free);
	if (root >= 0)
		smtpd__disk_space_has_room(&md->space, 0);
	return md;
}

void
smtpd_maildir_destroy(struct smtpd_maildir *md)
{
	if (md == NULL)
		return;
	smtpd__disk_space_finish(&md->space);
	smtpd__maildir_synced_finish(&md->synced);
	smtpd__maildir_name_finish(&md->names);
	smtpd__fd_close(md->root);
	free(md);
}

bool
smtpd_maildir_has_room(struct smtpd_maildir *md, uint64_t size)
{
	return md->root == -1 || smtpd__disk_space_has_room(&md->space, size);
}

struct smtpd_maildir_message *
smtpd_maildir_begin(struct smtpd_maildir *md)
{
	struct smtpd_maildir_message *m = malloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	/* All but the buffer: its pages are touched as it fills. */
	memset(m, 0, offsetof(struct smtpd_maildir_message, start));
	m->names = &md->names;
	m->synced = &md->synced;
	m->spool = -1;
	m->targets = &m->one;
	m->target_cap = 1;
	m->buf = m->start;
	m->buf_size = sizeof(m->start);
	return m;
}

/* Make room for LEN more bytes in the buffer. */
static int
reserve_buffer(struct smtpd_maildir_message *m, size_t len)
{
	size_t used = m->headers + m->body;
	size_t size = m->buf_size;
	char *buf;

	if (len <= size - used)
		return 0;
	while (len > size - used)
		size *= 2;
	buf = realloc(m->buf == m->start ? NULL : m->buf, size);
	if (buf == NULL)
		return -1;
	if (m->buf == m->start)
		memcpy(buf, m->start, used);
	m->buf = buf;
	m->buf_size = size;
	return 0;
}

/* Return room for one more target, which does not count yet. */
static struct smtpd_maildir_target *
reserve_target(struct smtpd_maildir_message *m)
{
	struct smtpd_maildir_target *targets;
	size_t cap = m->target_cap * 2;

	if (m->ntargets < m->target_cap)
		return &m->targets[m->ntargets];
	targets = realloc(
	    m->targets == &m->one ? NULL : m->targets, cap * sizeof(*targets));
	if (targets == NULL)
		return NULL;
	if (m->targets == &m->one)
		targets[0] = m->one;
	m->targets = targets;
	m->target_cap = cap;
	return &targets[m->ntargets];
}

/* Copy LEN bytes at IN to OUT, CRLF as LF, with *CR the state between two
 * pieces.  OUT has room for one byte more than LEN.  Return how many bytes
 * were written. */
static size_t
copy_lines(char *out, const char *in, size_t len, bool *cr)
{
	const char *end = in + len;
	char *to = out;

	while (in < end) {
		const char *stop;

		if (*cr && *in != '\n')
			*to++ = '\r';
		*cr = false;
		stop = memchr(in, '\r', (size_t)(end - in));
		if (stop == NULL)
			stop = end;
		memcpy(to, in, (size_t)(stop - in));
		to += stop - in;
		in = stop;
		if (in < end) {
			*cr = true;
			in++;
		}
	}
	return (size_t)(to - out);
}

int
smtpd_maildir_add(struct smtpd_maildir_message *m, const char *path,
    size_t root_len, const char *header, size_t len)
{
	struct smtpd_maildir_target *t;
	bool cr = false;

	if (path == NULL || (header == NULL && len > 0) || m->error != 0 ||
	    m->body > 0 || m->written > 0 || m->cr) {
		errno = EINVAL;
		return -1;
	}
	t = reserve_target(m);
	if (t == NULL || reserve_buffer(m, len + 1) == -1)
		return -1;
	*t = (struct smtpd_maildir_target){
		.path = strdup(path),
		.root_len = root_len,
		.dirs = SMTPD_MAILDIR_DIRS_CLOSED,
		.header = m->headers,
	};
	/* Open it to see that it is whole. */
	if (t->path == NULL || smtpd__maildir_target_enter(t) == -1) {
		free(t->path);
		return -1;
	}
	smtpd__maildir_target_leave(m, t);
	t->header_len = copy_lines(m->buf + m->headers, header, len, &cr);
	m->headers += t->header_len;
	m->ntargets++;
	return 0;
}

int
smtpd_maildir_write(
    struct smtpd_maildir_message *m, const void *data, size_t len)
{
	const char *in = data;

	if (m->ntargets == 0)
		m->error = EINVAL;
	while (m->error == 0 && len > 0) {
		size_t piece = BODY_MAX - m->body;

		if (piece > len)
			piece = len;
		if (reserve_buffer(m, piece + 1) == -1) {
			m->error = errno;
			break;
		}
		m->body += copy_lines(
		    m->buf + m->headers + m->body, in, piece, &m->cr);
		in += piece;
		len -= piece;
		/* Where no target is left, the error is set already. */
		if (m->body >= BODY_MAX &&
		    smtpd__maildir_stage_spill(m) == -1 && m->error == 0)
			m->error = errno;
	}
	if (m->error == 0)
		return 0;
	errno = m->error;
	return -1;
}

void
smtpd_maildir_set_failed(struct smtpd_maildir_message *m,
    smtpd_maildir_failed_fn *failed, void *user)
{
	m->failed = failed;
	m->failed_user = user;
}

uint64_t
smtpd_maildir_size(const struct smtpd_maildir_message *m, size_t i)
{
	if (i >= m->ntargets)
		return 0;
	return m->targets[i].header_len + m->written + m->body +
	    (m->cr ? 1 : 0);
}

void
smtpd_maildir_drop(struct smtpd_maildir_message *m, size_t i)
{
	if (i < m->ntargets && !m->targets[i].dropped)
		smtpd__maildir_target_drop(m, i);
	if (m->error == 0 && smtpd__maildir_target_first(m) == m->ntargets)
		m->error = ECANCELED;
}

static void
free_message(struct smtpd_maildir_message *m)
{
	for (size_t i = 0; i < m->ntargets; i++) {
		smtpd__maildir_dirs_close(&m->targets[i].dirs);
		free(m->targets[i].path);
	}
	smtpd__fd_close(m->spool);
	if (m->targets != &m->one)
		free(m->targets);
	if (m->buf != m->start)
		free(m->buf);
	free(m);
}

void
smtpd_maildir_abort(struct smtpd_maildir_message *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->ntargets; i++)
		smtpd__maildir_target_remove(&m->targets[i]);
	free_message(m);
}

int
smtpd_maildir_commit(struct smtpd_maildir_message *m)
{
	int error;

	if (m->ntargets == 0)
		m->error = EINVAL;
	/* A CR at the very end of the message is part of it; there is room for
	 * one byte more than was written. */
	if (m->cr) {
		m->buf[m->headers + m->body++] = '\r';
		m->cr = false;
	}
	if (m->error == 0 && smtpd__maildir_stage_all(m) == 0 &&
	    smtpd__maildir_publish_all(m) == 0) {
		free_message(m);
		return 0;
	}
	error = m->error != 0 ? m->error : errno;
	smtpd_maildir_abort(m);
	errno = error;
	return -1;
}
