/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_DIRS_H
#define SMTPD_MAILDIR_DIRS_H

/*
 * The directories of a Maildir, opened so that nobody else can lead a delivery
 * astray: below the root no symbolic link is followed, and each directory must
 * belong to the user of the process, or to root.
 */

#include <stddef.h>

/* A Maildir and its parts; -1 while it is closed. */
struct smtpd_maildir_dirs {
	int dir;
	int tmp;
	int new;
};

#define SMTPD_MAILDIR_DIRS_CLOSED ((struct smtpd_maildir_dirs){ -1, -1, -1 })

/* Open the first ROOT_LEN bytes of PATH, the root, or where PATH begins. */
int smtpd__maildir_dirs_root(const char *path, size_t root_len);

/* Open the directory of LEN bytes at NAME in DIR.  Return -1 with errno ELOOP
 * if it is a link, EPERM if it belongs to another user. */
int smtpd__maildir_dirs_step(int dir, const char *name, size_t len);

/* Open the Maildir PATH, whose root has ROOT_LEN bytes.  Return its descriptor,
 * or -1 with errno. */
int smtpd__maildir_dirs_walk(const char *path, size_t root_len);

/* Likewise, and see that its parts are there; ENOENT when one is missing. */
int smtpd__maildir_dirs_find(const char *path, size_t root_len);

/* Open PATH and its parts.  Return 0, or -1 with errno and everything closed:
 * ENOENT when a part is missing. */
int smtpd__maildir_dirs_open(
    struct smtpd_maildir_dirs *d, const char *path, size_t root_len);

void smtpd__maildir_dirs_close(struct smtpd_maildir_dirs *d);

#endif
