/* SPDX-License-Identifier: MIT */
#include "maildir/usage.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir/dirs.h"
#include "os/fd.h"

/* The size of the message NAME in DIR: what its name says, or else the file. */
static uint64_t
size_of(int dir, const char *name)
{
	const char *mark = strstr(name, ",S=");
	struct stat st;
	char *end;

	if (mark != NULL && mark[3] >= '0' && mark[3] <= '9') {
		uint64_t size = strtoull(mark + 3, &end, 10);

		if (*end == '\0' || *end == ',' || *end == ':')
			return size;
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

/* Add the messages in new/ and cur/ of MAILDIR, of which either may be
 * missing. */
static int
add_messages(int maildir, uint64_t *octets)
{
	static const char *const parts[] = { "new", "cur" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		DIR *part = smtpd__maildir_dirs_list(maildir, parts[i]);
		const struct dirent *entry;

		if (part == NULL && errno == ENOENT)
			continue;
		if (part == NULL)
			return -1;
		while ((entry = readdir(part)) != NULL)
			if (entry->d_name[0] != '.')
				*octets += size_of(dirfd(part), entry->d_name);
		closedir(part);
	}
	return 0;
}

/* Add the folders of MAILDIR, whose names begin with a dot (Maildir++).  What
 * is none, or belongs to others, does not count. */
static int
add_folders(int maildir, uint64_t *octets)
{
	DIR *list = smtpd__maildir_dirs_list(maildir, ".");
	const struct dirent *entry;

	if (list == NULL)
		return -1;
	while ((entry = readdir(list)) != NULL) {
		const char *name = entry->d_name;
		int folder;

		if (name[0] != '.' || strcmp(name, ".") == 0 ||
		    strcmp(name, "..") == 0)
			continue;
		folder = smtpd__maildir_dirs_step(maildir, name);
		if (folder >= 0)
			add_messages(folder, octets);
		smtpd__fd_close(folder);
	}
	closedir(list);
	return 0;
}

int
smtpd_maildir_usage(const char *path, size_t root_len, uint64_t *octets)
{
	int maildir =
	    smtpd__maildir_dirs_walk(path, root_len, smtpd__maildir_dirs_step);
	int result;

	*octets = 0;
	if (maildir == -1)
		return -1;
	result = add_messages(maildir, octets);
	if (result == 0)
		result = add_folders(maildir, octets);
	smtpd__fd_close(maildir);
	return result;
}
