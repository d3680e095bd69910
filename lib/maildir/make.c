/* SPDX-License-Identifier: MIT */
#include "maildir/make.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "maildir/dirs.h"
#include "os/commit.h"
#include "os/fd.h"

/* Open the directory of LEN bytes at NAME in DIR, made where it is missing.
 * DIR is synced also when NAME was there: the process that made it may not have
 * come to that yet. */
static int
make_step(int dir, const char *name, size_t len)
{
	char part[NAME_MAX + 1];

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, name, len);
	part[len] = '\0';
	if (mkdirat(dir, part, 0700) == -1 && errno != EEXIST)
		return -1;
	if (smtpd__commit_directory(dir) == -1)
		return -1;
	return smtpd__maildir_dirs_step(dir, name, len);
}

/* Make PART of DIR, or see that it is a directory of ours. */
static int
make_part(int dir, const char *part)
{
	int fd;

	if (mkdirat(dir, part, 0700) == -1 && errno != EEXIST)
		return -1;
	fd = smtpd__maildir_dirs_step(dir, part, strlen(part));
	smtpd__fd_close(fd);
	return fd >= 0 ? 0 : -1;
}

/* tmp and cur come first: where there is a new, everything is there. */
static int
make_parts(int dir)
{
	if (make_part(dir, "tmp") == -1 || make_part(dir, "cur") == -1 ||
	    make_part(dir, "new") == -1)
		return -1;
	return smtpd__commit_directory(dir);
}

int
smtpd__maildir_make(const char *path, size_t root_len)
{
	const char *at = path + root_len;
	int dir = smtpd__maildir_dirs_root(path, root_len);
	int result;

	while (dir >= 0 && *(at += strspn(at, "/")) != '\0') {
		size_t len = strcspn(at, "/");
		int next = make_step(dir, at, len);

		smtpd__fd_close(dir);
		dir = next;
		at += len;
	}
	if (dir == -1)
		return -1;
	result = make_parts(dir);
	smtpd__fd_close(dir);
	return result;
}
