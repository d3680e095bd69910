/* SPDX-License-Identifier: MIT */
#include "maildir/dirs.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "os/fd.h"

#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int
smtpd__maildir_dirs_root(const char *path, size_t root_len)
{
	char root[PATH_MAX];

	if (root_len == 0)
		return open(*path == '/' ? "/" : ".", OPEN_FLAGS);
	if (root_len >= sizeof(root)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(root, path, root_len);
	root[root_len] = '\0';
	return open(root, OPEN_FLAGS);
}

/* A link is told from a file, which open() does not do. */
static int
open_part(int dir, const char *name)
{
	struct stat st;
	int fd = openat(dir, name, OPEN_FLAGS | O_NOFOLLOW);

	if (fd == -1 && errno == ENOTDIR) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			errno = ELOOP;
		else
			errno = ENOTDIR;
	}
	return fd;
}

/* Root may do anything in any case. */
static bool
is_trusted(const struct stat *st)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return true;
	errno = EPERM;
	return false;
}

int
smtpd__maildir_dirs_step(int dir, const char *name, size_t len)
{
	char part[NAME_MAX + 1];
	struct stat st;
	int fd;

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, name, len);
	part[len] = '\0';
	fd = open_part(dir, part);
	if (fd >= 0 && (fstat(fd, &st) == -1 || !is_trusted(&st))) {
		smtpd__fd_close(fd);
		return -1;
	}
	return fd;
}

int
smtpd__maildir_dirs_walk(const char *path, size_t root_len)
{
	const char *at = path + root_len;
	int dir = smtpd__maildir_dirs_root(path, root_len);

	while (dir >= 0 && *(at += strspn(at, "/")) != '\0') {
		size_t len = strcspn(at, "/");
		int next = smtpd__maildir_dirs_step(dir, at, len);

		smtpd__fd_close(dir);
		dir = next;
		at += len;
	}
	return dir;
}

/* Whether NAME in DIR is a directory that a step could be taken into. */
static int
check_part(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return is_trusted(&st) ? 0 : -1;
	errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	return -1;
}

int
smtpd__maildir_dirs_find(const char *path, size_t root_len)
{
	int dir = smtpd__maildir_dirs_walk(path, root_len);

	if (dir == -1)
		return -1;
	if (check_part(dir, "new") == 0 && check_part(dir, "tmp") == 0 &&
	    check_part(dir, "cur") == 0)
		return dir;
	smtpd__fd_close(dir);
	return -1;
}

int
smtpd__maildir_dirs_open(
    struct smtpd_maildir_dirs *d, const char *path, size_t root_len)
{
	*d = SMTPD_MAILDIR_DIRS_CLOSED;
	d->dir = smtpd__maildir_dirs_walk(path, root_len);
	if (d->dir == -1)
		return -1;
	/* new/ is made last: where it is missing, another thread may be making
	 * the others just now. */
	d->new = smtpd__maildir_dirs_step(d->dir, "new", 3);
	if (d->new >= 0)
		d->tmp = smtpd__maildir_dirs_step(d->dir, "tmp", 3);
	/* No delivery needs cur/, but the readers of the Maildir do. */
	if (d->tmp >= 0 && check_part(d->dir, "cur") == 0)
		return 0;
	smtpd__maildir_dirs_close(d);
	return -1;
}

void
smtpd__maildir_dirs_close(struct smtpd_maildir_dirs *d)
{
	smtpd__fd_close(d->tmp);
	smtpd__fd_close(d->new);
	smtpd__fd_close(d->dir);
	*d = SMTPD_MAILDIR_DIRS_CLOSED;
}
