/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_FILE_H
#define SMTPD_OS_FILE_H

/*
 * Files read and written to the last byte, whatever a single call moves.  All
 * return 0, or -1 with errno.
 */

#include <sys/stat.h>
#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

/* Write LEN bytes at DATA to FD. */
int smtpd__file_write(int fd, const void *data, size_t len);

/* Write COUNT PARTS to FD, one after the other.  PARTS are used up. */
int smtpd__file_write_parts(int fd, struct iovec *parts, int count);

/* Write LEN bytes at DATA to FD, OFFSET bytes into it. */
int smtpd__file_write_at(int fd, const void *data, size_t len, uint64_t offset);

/* Read LEN bytes, OFFSET bytes into FD, to DATA.  The errno is EBADMSG if FD
 * ends before. */
int smtpd__file_read_at(int fd, void *data, size_t len, uint64_t offset);

/* Open the regular file NAME in the directory DIR to read it, and tell what it
 * is in *ST.  Return it, or -1 with errno: EINVAL when it is none, which is not
 * waited for. */
int smtpd__file_open_regular(int dir, const char *name, struct stat *st);

/* Open a file in DIRECTORY that has no name, to be read and written: it is gone
 * when it is closed.  Return it, or -1 with errno. */
int smtpd__file_open_unnamed(const char *directory);

#endif
