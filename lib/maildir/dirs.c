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
smtpd__maildir_dirs_step(int dir, const char *name)
{
	struct stat st;
	int fd = openat(dir, name, OPEN_FLAGS | O_NOFOLLOW);

	/* A link is told from a file, which openat() does not do. */
	if (fd == -1 && errno == ENOTDIR) {
		bool is_link =
		    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode);

		errno = is_link ? ELOOP : ENOTDIR;
	}
	if (fd >= 0 && (fstat(fd, &st) == -1 || !is_trusted(&st))) {
		smtpd__fd_close(fd);
		return -1;
	}
	return fd;
}

DIR *
smtpd__maildir_dirs_list(int dir, const char *name)
{
	int fd = smtpd__maildir_dirs_step(dir, name);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (list == NULL)
		smtpd__fd_close(fd);
	return list;
}

int
smtpd__maildir_dirs_check(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return is_trusted(&st) ? 0 : -1;
	errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	return -1;
}

/* Open the first ROOT_LEN bytes of PATH, the root, or where PATH begins. */
static int
open_root(const char *path, size_t root_len)
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

int
smtpd__maildir_dirs_walk(
    const char *path, size_t root_len, int (*step)(int dir, const char *name))
{
	const char *at;
	int dir;

	if (path == NULL || *path == '\0' || root_len > strlen(path)) {
		errno = EINVAL;
		return -1;
	}
	at = path + root_len;
	dir = open_root(path, root_len);
	while (dir >= 0 && *(at += strspn(at, "/")) != '\0') {
		size_t len = strcspn(at, "/");
		char name[NAME_MAX + 1];
		int next = -1;

		if (len >= sizeof(name)) {
			errno = ENAMETOOLONG;
		} else {
			memcpy(name, at, len);
			name[len] = '\0';
			next = step(dir, name);
		}
		smtpd__fd_close(dir);
		dir = next;
		at += len;
	}
	return dir;
}

int
smtpd__maildir_dirs_open(
    struct smtpd_maildir_dirs *d, const char *path, size_t root_len)
{
	*d = SMTPD_MAILDIR_DIRS_CLOSED;
	d->dir =
	    smtpd__maildir_dirs_walk(path, root_len, smtpd__maildir_dirs_step);
	if (d->dir == -1)
		return -1;
	/* new/ is made last: where it is missing, another thread may be making
	 * the others just now. */
	d->new = smtpd__maildir_dirs_step(d->dir, "new");
	if (d->new >= 0)
		d->tmp = smtpd__maildir_dirs_step(d->dir, "tmp");
	/* No delivery needs cur/, but the readers of the Maildir do. */
	if (d->tmp >= 0 && smtpd__maildir_dirs_check(d->dir, "cur") == 0)
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
