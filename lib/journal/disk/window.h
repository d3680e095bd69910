/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_WINDOW_H
#define SMTPD_JOURNAL_DISK_WINDOW_H

/* A view of a file that moves along it by large reads. */

#include <stddef.h>
#include <stdint.h>

struct smtpd_disk_window {
	int fd;
	uint64_t file_size;
	uint64_t from; /* the bytes of the file from here */
	size_t len;    /* so many; 0: read them anew, the file has changed */
	uint8_t *buf;
	size_t size; /* of buf */
};

/* Begin on FD, which stays the caller's.  Return -1 with errno. */
int smtpd__disk_window_init(struct smtpd_disk_window *w, int fd);
void smtpd__disk_window_finish(struct smtpd_disk_window *w);

/*
 * LEN bytes at OFFSET, until the next call; what lies beyond the end of the
 * file reads as zeros.  NULL with errno: ENOMEM, or they cannot be read, which
 * says nothing about what is there.
 */
const uint8_t *smtpd__disk_window_at(
    struct smtpd_disk_window *w, uint64_t offset, size_t len);

#endif
