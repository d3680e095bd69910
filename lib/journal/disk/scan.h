/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_SCAN_H
#define SMTPD_JOURNAL_DISK_SCAN_H

/*
 * All records of one segment, read one after the other; what is no record is
 * told apart from what never became one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crc32c.h"
#include "journal/disk/window.h"
#include "journal/journal.h"

/* Bytes from FROM to TO - 1. */
struct smtpd_disk_range {
	uint32_t from, to;
};

/* How many ranges may be void, that at the end among them. */
#define SMTPD_DISK_VOIDS 16

struct smtpd_disk_scan {
	/* Filled in by the caller: */
	const struct smtpd_crc32c *crc;
	struct smtpd_disk_window *window;
	uint32_t number;
	uint32_t mark;
	bool sealed;   /* the records are known to reach to END, and all else
	                * there is damage; if not, they may reach so far */
	bool moving;   /* a writer may be at work */
	uint32_t at;   /* where to begin */
	uint32_t end;  /* where to end */
	uint64_t next; /* the least sequence to come */
	uint64_t upto; /* and the greatest */
	int (*record)(void *user, const struct smtpd_journal_record *record);
	void (*damaged)(void *user, uint64_t offset, const void *data,
	    size_t len, const char *why);
	void *user;

	/* Found, besides AT and NEXT behind the last record: */
	bool unread; /* a record was taken whose body could not be read */
	struct smtpd_disk_range voids[SMTPD_DISK_VOIDS]; /* told of, and not to
	                                                  * be records later */
	size_t void_count;

	/* The scan's own: 0. */
	struct smtpd_journal_record *group; /* not complete yet */
	size_t group_count, group_room;
	uint8_t *heads; /* of these */
	size_t heads_len, heads_room;
	uint64_t known;  /* durable, as later records say */
	uint32_t reread; /* where it was read a second time */
	bool skipping;   /* the rest of a group that is not whole */
};

/* Return 0, or what RECORD returned other than 0, or -1 with errno: without
 * memory, or where it cannot be told whether there is a record.  One whose head
 * is intact and whose body cannot be read is a record: who reads it later
 * learns that. */
int smtpd__disk_scan(struct smtpd_disk_scan *s);

/* Tell DAMAGED of what lies from FROM to TO. */
int smtpd__disk_scan_report(
    struct smtpd_disk_scan *s, uint64_t from, uint64_t to, const char *why);

#endif
