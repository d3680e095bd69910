/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_FILE_H
#define SMTPD_JOURNAL_DISK_FILE_H

/*
 * The files that are segments, or may become some.  Functions return 0 or a
 * descriptor, or -1 with errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/disk/format.h"

/* Names for files that become segments: some made ahead, one made in need. */
#define SMTPD_DISK_SPARES    2
#define SMTPD_DISK_MAKESHIFT SMTPD_DISK_SPARES

void smtpd__disk_file_spare_name(char name[SMTPD_DISK_NAME], int which);

/* Which spare has NAME; -1: it is none. */
int smtpd__disk_file_spare_which(const char *name);

/*
 * Make spare WHICH, of SIZE bytes that are allocated on disk.  FILL: they are
 * written too, as zeros, which takes a while: a sync of what was only allocated
 * has the file system record that it was written now, which costs about as
 * much again.  Any want of space is ENOSPC.
 */
int smtpd__disk_file_make(int dir, int which, uint32_t size, bool fill);

/*
 * Make spare WHICH the segment that HEADER is about.  It is durable as such
 * when its descriptor is returned.  After a failure the spare is gone.
 */
int smtpd__disk_file_begin(int dir, const struct smtpd_crc32c *crc, int which,
    const struct smtpd_disk_header *header);

/* Close FD and remove the file NAME of DIR.  errno stays. */
void smtpd__disk_file_discard(int dir, const char *name, int fd);

/* Open segment NUMBER. */
int smtpd__disk_file_open(int dir, uint32_t number, bool read_only);

/* Read the header of the segment open as FD, or the copy at its end.  It is
 * damaged only when both could be read. */
enum smtpd_disk_header_state smtpd__disk_file_header(
    int fd, const struct smtpd_crc32c *crc, struct smtpd_disk_header *header);

/* Whether the file NAME has SIZE bytes. */
bool smtpd__disk_file_has_size(int dir, const char *name, uint32_t size);

#endif
