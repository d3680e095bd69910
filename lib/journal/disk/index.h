/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_INDEX_H
#define SMTPD_JOURNAL_DISK_INDEX_H

/*
 * The index of a sealed segment: its records without their bodies.  It may be
 * lost, or damaged, at any time: then it is made anew.
 */

#include "journal/disk/format.h"
#include "journal/journal.h"

/* What an index belongs to: one that says anything else is not used. */
struct smtpd_disk_index_key {
	uint32_t number;
	uint32_t mark;
	uint32_t end;  /* of the records in the segment */
	uint64_t upto; /* the last sequence there may be */
};

struct smtpd_disk_index_writer;

/* Begin to write one; NULL when that cannot be done. */
struct smtpd_disk_index_writer *smtpd__disk_index_begin(
    int dir, const struct smtpd_crc32c *crc, uint32_t number);

void smtpd__disk_index_add(struct smtpd_disk_index_writer *w,
    const struct smtpd_journal_record *record);

/* End it.  KEY NULL: forget it.  Return -1 with errno when there is no index
 * now. */
int smtpd__disk_index_end(
    struct smtpd_disk_index_writer *w, const struct smtpd_disk_index_key *key);

/*
 * Call RECORD for each record until it returns other than 0, which *RC is then;
 * -1 with errno when the file failed on the way.  Return false when there is no
 * index that can be used.
 */
bool smtpd__disk_index_read(int dir, const struct smtpd_crc32c *crc,
    const struct smtpd_disk_index_key *key,
    int (*record)(void *user, const struct smtpd_journal_record *record),
    void *user, int *rc);

#endif
