/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_DIRS_H
#define SMTPD_MAILDIR_DIRS_H

/*
 * The directories of a Maildir, opened so that nobody else can lead a delivery
 * astray: below the root no symbolic link is followed, and each directory must
 * belong to the user of the process, or to root.
 */

#include <dirent.h>
#include <stddef.h>

/* A Maildir and its parts; -1 while it is closed. */
struct smtpd_maildir_dirs {
	int dir;
	int tmp;
	int new;
};

#define SMTPD_MAILDIR_DIRS_CLOSED ((struct smtpd_maildir_dirs){ -1, -1, -1 })

/* Open the directory NAME in DIR.  Return -1 with errno ELOOP if it is a link,
 * EPERM if it belongs to another user. */
int smtpd__maildir_dirs_step(int dir, const char *name);

/* Likewise, to read what is in it.  Return NULL with errno. */
DIR *smtpd__maildir_dirs_list(int dir, const char *name);

/* Whether a step could be made to NAME in DIR: 0, or -1 with errno. */
int smtpd__maildir_dirs_check(int dir, const char *name);

/* Open the Maildir PATH, by a STEP for each of its names below the root, which
 * is its first ROOT_LEN bytes.  Return its descriptor, or -1 with errno: EINVAL
 * when PATH is NULL, empty, or shorter than the root. */
int smtpd__maildir_dirs_walk(
    const char *path, size_t root_len, int (*step)(int dir, const char *name));

/* Open the Maildir PATH and its parts.  Return 0, or -1 with errno and
 * everything closed: ENOENT when a part is missing. */
int smtpd__maildir_dirs_open(
    struct smtpd_maildir_dirs *d, const char *path, size_t root_len);

void smtpd__maildir_dirs_close(struct smtpd_maildir_dirs *d);

#endif
