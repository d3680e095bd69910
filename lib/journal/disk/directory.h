/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_DIRECTORY_H
#define SMTPD_JOURNAL_DISK_DIRECTORY_H

/* The directories of a store: made, opened, locked, read. */

#include <dirent.h>

#include "journal/disk/store.h"

/* Open or make the directories of STORE in PATH, take the lock, and empty
 * tmp/.  Return 0, or -1 with errno and the reason in ERROR. */
int smtpd__disk_directory_open(
    struct smtpd_disk_store *store, const char *path, char *error, size_t size);

/* Close all descriptors. */
void smtpd__disk_directory_close(struct smtpd_disk_store *store);

/* Begin to read the directory FD, which stays open.  NULL with errno. */
DIR *smtpd__disk_directory_read(int fd);

/* Return true if NAME in the directory DIR is a regular file. */
bool smtpd__disk_directory_has_file(int dir, const char *name);

#endif
