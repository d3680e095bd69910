/* SPDX-License-Identifier: MIT */
#include "maildir/make.h"

#include <sys/stat.h>

#include <errno.h>

#include "maildir/dirs.h"
#include "os/commit.h"
#include "os/fd.h"

/* Make the directory NAME in DIR, unless it is there. */
static int
make_directory(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) == -1 && errno != EEXIST)
		return -1;
	return 0;
}

/* Open the directory NAME in DIR, made where it is missing.  DIR is synced also
 * when NAME was there: the process that made it may not have come to that
 * yet. */
static int
make_step(int dir, const char *name)
{
	if (make_directory(dir, name) == -1 ||
	    smtpd__commit_directory(dir) == -1)
		return -1;
	return smtpd__maildir_dirs_step(dir, name);
}

/* tmp and cur come first: where there is a new, everything is there. */
static int
make_parts(int dir)
{
	static const char *const parts[] = { "tmp", "cur", "new" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int fd;

		if (make_directory(dir, parts[i]) == -1)
			return -1;
		fd = smtpd__maildir_dirs_step(dir, parts[i]);
		if (fd == -1)
			return -1;
		smtpd__fd_close(fd);
	}
	return smtpd__commit_directory(dir);
}

int
smtpd_maildir_make(const char *path, size_t root_len)
{
	int dir = smtpd__maildir_dirs_walk(path, root_len, make_step);
	int result;

	if (dir == -1)
		return -1;
	result = make_parts(dir);
	smtpd__fd_close(dir);
	return result;
}
