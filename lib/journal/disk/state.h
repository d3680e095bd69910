/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_STATE_H
#define SMTPD_JOURNAL_DISK_STATE_H

/* What the parts of the log share. */

#include <pthread.h>

#include "journal/disk/disk.h"
#include "journal/disk/file.h"

/* Where records may end in a segment of SIZE bytes. */
#define SMTPD_DISK_LIMIT(size) ((size) - SMTPD_DISK_PAGE)

struct smtpd_disk_segment {
	uint32_t number;
	uint32_t size;
	uint32_t mark; /* of its records; 0: the header is damaged */
	uint32_t end;  /* of them */
	uint64_t base; /* the least sequence of them */
	uint64_t upto; /* and the greatest */
	uint64_t live_bytes;
	uint32_t live_records;
	bool exact;   /* the next segment says where this one ends */
	bool indexed; /* or need not be */
	bool failed;  /* never to be written again */
	bool pinned;  /* something in it could not be set aside: it stays */
};

/* What is written and synced at once. */
struct smtpd_disk_batch {
	pthread_cond_t done;
	struct smtpd_journal_promise *promises;
	uint64_t last;   /* sequence */
	uint32_t offset; /* in the segment */
	uint32_t len;
	uint32_t written; /* of that, so far */
	int error;        /* of the write that failed; 0: none did */
	uint8_t *buf;     /* SMTPD_JOURNAL_GROUP_MAX bytes */
};

enum smtpd_disk_spare {
	SMTPD_DISK_SPARE_NONE,
	SMTPD_DISK_SPARE_BUSY, /* somebody makes or takes it */
	SMTPD_DISK_SPARE_READY,
};

struct smtpd_disk {
	struct smtpd_crc32c crc;
	struct smtpd_disk_settings settings; /* defaults filled in */
	int dir;

	pthread_mutex_t lock; /* of all that follows */

	/* In the order of their numbers.  All but the last are sealed; the last
	 * is never recycled: it says which numbers come next. */
	struct smtpd_disk_segment *segments;
	size_t count, room;

	int fd;           /* of the last; -1: it cannot be appended to */
	bool rolling;     /* the next one is being made */
	uint32_t tail;    /* where the next record goes */
	uint64_t last;    /* the last sequence given */
	uint64_t durable; /* the last one that is on stable storage */

	/* One batch forms while the thread that made the log busy writes the
	 * other one.  The log may also be busy with files. */
	struct smtpd_disk_batch batches[2];
	struct smtpd_disk_batch *forming;
	struct smtpd_disk_batch *led; /* the other one; NULL: it is empty */
	bool busy;
	pthread_cond_t idle;    /* it is busy no longer, or a batch was taken */
	bool writing;           /* a thread writes bytes of a batch */
	pthread_cond_t written; /* it does no longer, or a batch failed */

	enum smtpd_disk_spare spares[SMTPD_DISK_SPARES];
	bool full; /* the last spare that was wanted could not be had */
	struct smtpd_journal_stats stats;
};

#endif
