/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_TMP_FILE_H
#define SMTPD_JOURNAL_DISK_TMP_FILE_H

/* Files in tmp/, which get their place and name once they are complete. */

#include "journal/disk/store.h"

/* The size of a name in tmp/, with its NUL. */
#define SMTPD_DISK_TMP_FILE_NAME_SIZE 24

/* Make a file, its name in NAME.  Return its descriptor, or -1 with errno. */
int smtpd__disk_tmp_file_make(
    struct smtpd_disk_store *store, char name[SMTPD_DISK_TMP_FILE_NAME_SIZE]);

/* Close FD, make its content durable, and move it from NAME in tmp/ to TO in
 * the directory DIR, whose names the caller makes durable.  Return 0; or -1
 * with errno, and the file is gone: EEXIST when TO is there. */
int smtpd__disk_tmp_file_publish(struct smtpd_disk_store *store, int fd,
    const char *name, int dir, const char *to);

#endif
