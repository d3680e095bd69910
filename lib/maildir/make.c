/* SPDX-License-Identifier: MIT */
#include "maildir/make.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "os/commit.h"
#include "os/fd.h"

/* Open the directory of LEN bytes at PATH. */
static int
open_root(const char *path, size_t len)
{
	char root[PATH_MAX];

	if (len >= sizeof(root)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(root, path, len);
	root[len] = '\0';
	return open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Replace directory DIR by the one of LEN bytes at NAME in it, made where it is
 * missing; DIR is closed in any case.  DIR is synced also when NAME was there:
 * the process that made it may not have come to that yet. */
static int
step_into(int dir, const char *name, size_t len)
{
	char part[NAME_MAX + 1];
	int next = -1;

	if (len >= sizeof(part)) {
		close(dir);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, name, len);
	part[len] = '\0';
	if ((mkdirat(dir, part, 0700) == 0 || errno == EEXIST) &&
	    smtpd__commit_directory(dir) == 0)
		next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	smtpd__fd_close(dir);
	return next;
}

/* tmp and cur come first: where there is a new, everything is there. */
static int
make_parts(int dir)
{
	static const char *const parts[] = { "tmp", "cur", "new" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (mkdirat(dir, parts[i], 0700) == -1 && errno != EEXIST)
			return -1;
	return smtpd__commit_directory(dir);
}

int
smtpd__maildir_make(const char *path, size_t root_len)
{
	const char *at = path + root_len;
	int dir, result;

	if (root_len > 0)
		dir = open_root(path, root_len);
	else
		dir = open_root(*path == '/' ? "/" : ".", 1);
	while (dir >= 0 && *(at += strspn(at, "/")) != '\0') {
		size_t len = strcspn(at, "/");

		dir = step_into(dir, at, len);
		at += len;
	}
	if (dir == -1)
		return -1;
	result = make_parts(dir);
	smtpd__fd_close(dir);
	return result;
}
