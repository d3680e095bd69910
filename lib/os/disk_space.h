/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_DISK_SPACE_H
#define SMTPD_OS_DISK_SPACE_H

/*
 * The room on a disk, looked at once a second by one thread; others use what
 * was found before.  The log is told when it ends, and when there is some
 * again.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/logger.h"

struct smtpd_disk_space {
	pthread_mutex_t lock;
	int directory;     /* on that disk */
	uint64_t min_free; /* octets; 0: a twentieth, 64 MiB at least, but
	                    * not more than a tenth for that */

	/* The owner may set these before the first look: where it is told, and
	 * what the directory is called there. */
	struct smtpd_logger logger;
	const char *name;

	bool full;       /* there was no room at the last look */
	bool looking;    /* a thread does */
	uint64_t looked; /* when, as smtpd__clock_ms(); 0: never */
	uint64_t room;   /* octets above what must be left free */
};

void smtpd__disk_space_init(
    struct smtpd_disk_space *s, int directory, uint64_t min_free);
void smtpd__disk_space_finish(struct smtpd_disk_space *s);

/* Whether a message of SIZE octets can come in; a disk that cannot be looked
 * at, or where a twentieth of the inodes or less is left, has no room.  Any
 * thread. */
bool smtpd__disk_space_has_room(struct smtpd_disk_space *s, uint64_t size);

#endif
