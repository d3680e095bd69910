/* SPDX-License-Identifier: MIT */
/* For flock(). */
#define _DEFAULT_SOURCE
#include "journal/disk/directory.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sizes.h"
#include "os/commit.h"
#include "os/fd.h"
#include "os/nodename.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* Open the directory NAME in AT, made when it may be.  -1 with errno. */
static int
open_directory(const struct smtpd_disk_store *store, int at, const char *name)
{
	if (!store->settings.read_only && mkdirat(at, name, 0700) == -1 &&
	    errno != EEXIST)
		return -1;
	return openat(at, name, DIRECTORY_FLAGS);
}

/* Leave in the lock, for others, which process of which host holds it. */
static void
sign_lock(int lock)
{
	char host[SMTPD_HOSTNAME_SIZE], text[SMTPD_HOSTNAME_SIZE + 32];
	int len;

	if (smtpd__nodename_get(host, sizeof(host)) == -1)
		snprintf(host, sizeof(host), "unknown");
	len = snprintf(text, sizeof(text), "%ld %s\n", (long)getpid(), host);
	if (ftruncate(lock, 0) == 0)
		(void)!pwrite(lock, text, (size_t)len, 0);
}

/* Say who holds LOCK of the queue PATH, if that is known. */
static void
explain_lock(int lock, const char *path, char *error, size_t size)
{
	char text[SMTPD_HOSTNAME_SIZE + 32] = "";
	ssize_t len = pread(lock, text, sizeof(text) - 1, 0);
	char *host = len > 0 ? strchr(text, ' ') : NULL;
	size_t n = 0;

	while (host != NULL && host[n + 1] > ' ' && host[n + 1] < 0x7f)
		n++;
	if (len > 0 && strtol(text, NULL, 10) == (long)getpid())
		snprintf(
		    error, size, "this process has the queue %s open", path);
	else if (n == 0 || text + strspn(text, "0123456789") != host)
		snprintf(
		    error, size, "another process has the queue %s open", path);
	else
		snprintf(error, size,
		    "another process has the queue %s open: %.*s on %.*s", path,
		    (int)(host - text), text, (int)n, host + 1);
}

static int
acquire_lock(
    struct smtpd_disk_store *store, const char *path, char *error, size_t size)
{
	store->lock =
	    openat(store->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock == -1) {
		snprintf(error, size, "%s/lock: %s", path, strerror(errno));
		return -1;
	}
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0) {
		sign_lock(store->lock);
		return 0;
	}
	if (errno != EWOULDBLOCK) {
		snprintf(error, size, "%s/lock: %s", path, strerror(errno));
		return -1;
	}
	explain_lock(store->lock, path, error, size);
	errno = EBUSY;
	return -1;
}

/* Open the directories in it.  Beside a writer all but log/ may be missing. */
static int
open_parts(
    struct smtpd_disk_store *store, const char *path, char *error, size_t size)
{
	const struct {
		const char *name;
		int *fd;
	} parts[] = {
		{ "log", &store->log_dir },
		{ "tmp", &store->tmp },
		{ "large", &store->large },
		{ "quarantine", &store->quarantine },
		{ "dead", &store->dead },
	};
	bool read_only = store->settings.read_only;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*parts[i].fd = open_directory(store, store->dir, parts[i].name);
		if (*parts[i].fd != -1 ||
		    (read_only && errno == ENOENT && i > 0))
			continue;
		if (read_only && errno == ENOENT)
			errno = ENOTDIR;
		snprintf(error, size, "%s/%s: %s", path, parts[i].name,
		    strerror(errno));
		return -1;
	}
	return 0;
}

/* Make durable that the directory and its parts are there. */
static int
commit_names(const struct smtpd_disk_store *store)
{
	int parent, status;

	if (smtpd__commit_directory(store->dir) == -1)
		return -1;
	parent = openat(store->dir, "..", DIRECTORY_FLAGS);
	/* It may be none of ours to read. */
	if (parent == -1)
		return errno == EACCES ? 0 : -1;
	status = smtpd__commit_directory(parent);
	smtpd__fd_close(parent);
	return status;
}

int
smtpd__disk_directory_open(
    struct smtpd_disk_store *store, const char *path, char *error, size_t size)
{
	bool read_only = store->settings.read_only;
	struct dirent *d;
	DIR *tmp;

	store->dir = open_directory(store, AT_FDCWD, path);
	if (store->dir == -1) {
		if (read_only && errno == ENOENT)
			errno = ENOTDIR;
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!read_only && acquire_lock(store, path, error, size) == -1)
		return -1;
	if (open_parts(store, path, error, size) == -1)
		return -1;
	if (read_only)
		return 0;
	if (commit_names(store) == -1) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	tmp = smtpd__disk_directory_read(store->tmp);
	if (tmp == NULL)
		return 0;
	while ((d = readdir(tmp)) != NULL)
		if (smtpd__disk_directory_has_file(store->tmp, d->d_name))
			unlinkat(store->tmp, d->d_name, 0);
	closedir(tmp);
	return 0;
}

void
smtpd__disk_directory_close(struct smtpd_disk_store *store)
{
	int *const fds[] = { &store->log_dir, &store->tmp, &store->large,
		&store->quarantine, &store->dead, &store->lock, &store->dir };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		smtpd__fd_close(*fds[i]);
		*fds[i] = -1;
	}
}

DIR *
smtpd__disk_directory_read(int fd)
{
	int copy = openat(fd, ".", DIRECTORY_FLAGS);
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;

	if (dir == NULL)
		smtpd__fd_close(copy);
	return dir;
}

bool
smtpd__disk_directory_has_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}
