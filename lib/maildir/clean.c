/* SPDX-License-Identifier: MIT */
#include "maildir/clean.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "maildir/dirs.h"
#include "maildir/name.h"
#include "os/fd.h"

static bool
is_old_file(int dir, const char *name, int64_t before_s)
{
	struct stat st;

	return smtpd__maildir_name_is_ours(name) &&
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime < before_s;
}

ssize_t
smtpd_maildir_clean(const char *path, size_t root_len, int64_t before_s)
{
	int maildir =
	    smtpd__maildir_dirs_walk(path, root_len, smtpd__maildir_dirs_step);
	struct dirent *entry;
	ssize_t removed = 0;
	DIR *tmp;

	if (maildir == -1)
		return -1;
	tmp = smtpd__maildir_dirs_list(maildir, "tmp");
	smtpd__fd_close(maildir);
	if (tmp == NULL)
		return -1;
	while ((entry = readdir(tmp)) != NULL)
		if (is_old_file(dirfd(tmp), entry->d_name, before_s) &&
		    unlinkat(dirfd(tmp), entry->d_name, 0) == 0)
			removed++;
	closedir(tmp);
	return removed;
}
