/* SPDX-License-Identifier: MIT */
/* For flock(). */
#define _DEFAULT_SOURCE
#include "queue/spool/directory.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/commit.h"
#include "os/fd.h"
#include "queue/spool/quarantine.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* Open the directory NAME in AT, made when it may be.  -1 with errno. */
static int
open_directory(const struct smtpd_spool *s, int at, const char *name)
{
	if (!s->settings.read_only && mkdirat(at, name, 0700) == -1 &&
	    errno != EEXIST)
		return -1;
	return openat(at, name, DIRECTORY_FLAGS);
}

/* Make durable that DIR is there. */
static int
commit_parent(int dir)
{
	int parent = openat(dir, "..", DIRECTORY_FLAGS);
	int status;

	/* It may be none of ours to read. */
	if (parent == -1)
		return errno == EACCES ? 0 : -1;
	status = smtpd__commit_directory(parent);
	smtpd__fd_close(parent);
	return status;
}

static int
acquire_lock(
    struct smtpd_spool *s, const char *directory, char *error, size_t size)
{
	s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock == -1) {
		snprintf(
		    error, size, "%s/lock: %s", directory, strerror(errno));
		return -1;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK) {
		snprintf(
		    error, size, "%s/lock: %s", directory, strerror(errno));
		return -1;
	}
	snprintf(
	    error, size, "another process has the queue %s open", directory);
	errno = EBUSY;
	return -1;
}

/* The directories in it. */
static int
open_parts(
    struct smtpd_spool *s, const char *directory, char *error, size_t size)
{
	const struct {
		const char *name;
		int *fd;
	} parts[] = {
		{ "tmp", &s->tmp },
		{ "large", &s->large },
		{ "quarantine", &s->quarantine },
		{ "dead", &s->dead },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*parts[i].fd = open_directory(s, s->dir, parts[i].name);
		if (*parts[i].fd == -1 &&
		    !(s->settings.read_only && errno == ENOENT)) {
			snprintf(error, size, "%s/%s: %s", directory,
			    parts[i].name, strerror(errno));
			return -1;
		}
	}
	if (s->settings.read_only)
		return 0;
	if (smtpd__commit_directory(s->dir) == 0 && commit_parent(s->dir) == 0)
		return 0;
	snprintf(error, size, "%s: %s", directory, strerror(errno));
	return -1;
}

int
smtpd__spool_directory_open(
    struct smtpd_spool *s, const char *directory, char *error, size_t size)
{
	s->dir = open_directory(s, AT_FDCWD, directory);
	if (s->dir == -1) {
		if (s->settings.read_only && errno == ENOENT)
			errno = ENOTDIR;
		snprintf(error, size, "%s: %s", directory, strerror(errno));
		return -1;
	}
	if (!s->settings.read_only &&
	    acquire_lock(s, directory, error, size) == -1)
		return -1;
	return open_parts(s, directory, error, size);
}

void
smtpd__spool_directory_close(struct smtpd_spool *s)
{
	int *const fds[] = { &s->tmp, &s->large, &s->quarantine, &s->dead,
		&s->lock, &s->dir };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		smtpd__fd_close(*fds[i]);
		*fds[i] = -1;
	}
}

/* Begin to read the directory FD, which stays open.  NULL with errno. */
static DIR *
read_directory(int fd)
{
	int copy = openat(fd, ".", DIRECTORY_FLAGS);
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;

	if (dir == NULL)
		smtpd__fd_close(copy);
	return dir;
}

static bool
is_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

void
smtpd__spool_directory_empty_tmp(struct smtpd_spool *s)
{
	DIR *dir = read_directory(s->tmp);
	struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (is_file(s->tmp, d->d_name))
			unlinkat(s->tmp, d->d_name, 0);
	closedir(dir);
}

/* Whether NAME is that of a content of no message. */
static bool
is_orphan(struct smtpd_spool *s, const char *name)
{
	char expected[SMTPD_ID_SIZE];
	const struct smtpd_queued_message *e;
	uint64_t id;

	if (smtpd__id_parse(name, &id) == -1)
		return false;
	smtpd__id_write(id, expected);
	if (strcmp(name, expected) != 0 || !is_file(s->large, name))
		return false;
	e = smtpd__message_table_find(&s->table, id);
	return e == NULL || (e->flags & SMTPD_MESSAGE_LARGE) == 0;
}

void
smtpd__spool_directory_clear_orphans(struct smtpd_spool *s)
{
	DIR *dir = read_directory(s->large);
	struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL) {
		if (!is_orphan(s, d->d_name))
			continue;
		if (s->damages > 0 &&
		    smtpd__spool_quarantine_large(s, d->d_name,
			"no message in the log has this content, but a part "
			"of the log is damaged") == -1)
			continue;
		unlinkat(s->large, d->d_name, 0);
	}
	closedir(dir);
}
