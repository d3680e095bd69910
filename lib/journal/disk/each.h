/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_EACH_H
#define SMTPD_JOURNAL_DISK_EACH_H

/* All records of one segment, by its index or by a scan. */

#include "journal/disk/scan.h"
#include "journal/disk/state.h"

/*
 * Give each record of SEGMENT, a copy, to FN, until it returns other than 0,
 * which is returned; -1 with errno when it cannot be read.  By its index where
 * INDEX says so, and there is one; else by a scan, which also finds out END,
 * NEXT and the voids of it in *RESULT, writes the index anew where it can be,
 * and reports what is damaged.
 */
struct smtpd_disk_found {
	bool scanned;
	bool indexed; /* there is an index */
	bool unread;  /* not all could be checked: there is none */
	bool gone;    /* the segment went away meanwhile */
	bool unkept;  /* a part that is damaged could not be set aside */
	struct smtpd_disk_range voids[SMTPD_DISK_VOIDS];
	size_t void_count;
	uint32_t end;
	uint64_t next;
};

int smtpd__disk_each(struct smtpd_disk *log,
    const struct smtpd_disk_segment *segment, bool index,
    int (*fn)(void *user, const struct smtpd_journal_record *record),
    void *user, struct smtpd_disk_found *result);

/* Tell the caller of the log of LEN bytes of segment NUMBER.  Return -1 when it
 * could not set them aside. */
int smtpd__disk_each_report(struct smtpd_disk *log, uint32_t number,
    uint64_t offset, const void *data, size_t len, const char *why);

#endif
