/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_COMMIT_H
#define SMTPD_OS_COMMIT_H

/*
 * The steps that publish a file so that it survives a crash: make its content
 * durable, give it its name, make the directory durable; in that order, and
 * nothing is reported before the last.
 *
 * All return 0, or -1 with errno.  A failed fsync is final: the kernel may
 * have dropped the pages and report success next time, so nobody calls it
 * again and believes it.
 */

#include <stddef.h>

/* Make the content of FD durable and close it; it is closed in any case. */
int smtpd__commit_file(int fd);

/*
 * Move FROM in directory FROM_DIR to TO in TO_DIR, both on one file system
 * and both names allowed to have components.  Never replaces: errno EEXIST
 * when TO is there.
 */
int smtpd__commit_move(
    int from_dir, const char *from, int to_dir, const char *to);

/* As smtpd__commit_move(), by link() and unlink(): where the system cannot
 * rename without replacing. */
int smtpd__commit_link(
    int from_dir, const char *from, int to_dir, const char *to);

/*
 * Let the file NAME of directory DIR hold LEN bytes at DATA: all of them, or
 * what it held before.  They are written to the file HALF first, which nobody
 * else may write meanwhile.
 */
int smtpd__commit_replace(
    int dir, const char *name, const char *half, const void *data, size_t len);

/* Make the names in directory FD durable.  It stays open. */
int smtpd__commit_directory(int fd);

#endif
