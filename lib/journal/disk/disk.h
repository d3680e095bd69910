/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_DISK_H
#define SMTPD_JOURNAL_DISK_DISK_H

/*
 * The log: records in segments, files of one size that are allocated in
 * advance, numbered from 1.  doc/queue-format.md has the bytes.
 *
 * What is appended is durable when the call returns: the first thread that
 * waits writes and syncs for all that wait, and the next batch forms meanwhile.
 * Each record is live until it is released.  Only the oldest segment is ever
 * recycled, once nothing in it is live: so a record that says what became of an
 * earlier one never vanishes before that one.
 *
 * One log at a time may be open for writing in a directory: the caller holds a
 * lock on it.  Any number may be open for reading beside it.
 *
 * smtpd__disk_prepare() and those of recycle.h are for one thread at a time,
 * that of the housekeeping; any thread may call any other function at any time
 * between smtpd__disk_open() and smtpd__disk_close().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

struct smtpd_disk;

/* 0 or NULL: the default. */
struct smtpd_disk_settings {
	/* Of new segments: a multiple of 4096 from 1 MiB to 1 GiB; 64 MiB. */
	uint32_t segment_size;

	/* What is kept back in the last segment for appends that are essential,
	 * at most a quarter of a segment; 4 MiB, or that quarter. */
	uint32_t reserve;

	/* Nothing is written, no lock is needed, and no append allowed. */
	bool read_only;

	/*
	 * Called by smtpd__disk_open() for each record, in the order of their
	 * sequence; the records of one append all or none.  The head is lent
	 * for the call.  The only function that may be called with LOG is
	 * smtpd__disk_release().  Return 1: the record is live; 0: it is not;
	 * -1: open fails, with the errno that is left there.  NULL: nothing is
	 * live.
	 */
	int (*replay)(void *user, struct smtpd_disk *log,
	    const struct smtpd_journal_record *record);

	/*
	 * Called by smtpd__disk_open() and smtpd__disk_prepare() with LEN bytes
	 * at OFFSET of a segment that are no record though one was kept there,
	 * and why.  A long range comes in several calls; LEN is 0 where the
	 * file ends too early or is missing.  The same range may be reported
	 * again at another start.  Return 0, or -1 if they could not be set
	 * aside: the segment is neither changed nor recycled then.  NULL: not
	 * called.
	 */
	int (*damaged)(void *user, const char *segment_name, uint64_t offset,
	    const void *data, size_t len, const char *why);

	void *user;
};

/* Close the log; all appends have returned.  NULL: nothing happens. */
void smtpd__disk_close(struct smtpd_disk *log);

/* The live record at REF, of SIZE bytes on disk, is not needed any more.  Call
 * it once for each record. */
void smtpd__disk_release(
    struct smtpd_disk *log, struct smtpd_record_ref ref, uint32_t size);

void smtpd__disk_stats(
    struct smtpd_disk *log, struct smtpd_journal_stats *stats);

#endif
