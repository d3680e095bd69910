/* SPDX-License-Identifier: MIT */
#include "maildir/check.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "maildir/dirs.h"
#include "os/fd.h"

/* Whether the file system of DIR has room for one file more, of SIZE octets.
 * It is asked and not tried: a file made and removed for each recipient costs
 * more than the message does. */
static int
check_room(int dir, uint64_t size)
{
	struct statvfs disk;
	bool has_room;

	if (fstatvfs(dir, &disk) == -1)
		return -1;
	/* Some file systems have no number of files. */
	has_room = disk.f_bavail > 0 && size / disk.f_frsize < disk.f_bavail &&
	    (disk.f_files == 0 || disk.f_favail > 0);
	errno = ENOSPC;
	return has_room ? 0 : -1;
}

int
smtpd_maildir_check(const char *path, size_t root_len, uint64_t size)
{
	int dir =
	    smtpd__maildir_dirs_walk(path, root_len, smtpd__maildir_dirs_step);
	int result = -1;

	if (dir == -1)
		return -1;
	if (smtpd__maildir_dirs_check(dir, "new") == 0 &&
	    smtpd__maildir_dirs_check(dir, "tmp") == 0 &&
	    smtpd__maildir_dirs_check(dir, "cur") == 0 &&
	    faccessat(dir, "new", W_OK | X_OK, AT_EACCESS) == 0)
		result = check_room(dir, size);
	smtpd__fd_close(dir);
	return result;
}
