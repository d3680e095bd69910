/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_OPEN_H
#define SMTPD_JOURNAL_DISK_OPEN_H

/* Opening a log: what is there is read, and its end found. */

#include "journal/disk/disk.h"

/*
 * Open the log in the directory DIR_FD, which may be closed afterwards, and
 * replay what is there.  What a crash has left half written at the end is cut
 * off.  Return NULL with the reason in ERROR of SIZE bytes, and in errno.
 *
 * Beside a writer a reader may see records that are not durable yet.  It fails
 * with EAGAIN when segments were recycled while it read: the caller forgets
 * what was replayed and opens again.
 */
struct smtpd_disk *smtpd__disk_open(int dir_fd,
    const struct smtpd_disk_settings *settings, char *error, size_t size);

#endif
