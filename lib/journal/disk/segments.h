/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_SEGMENTS_H
#define SMTPD_JOURNAL_DISK_SEGMENTS_H

/*
 * The table of segments, and how many records live in each.  The lock is held,
 * or nobody else knows the log yet.
 */

#include "journal/disk/state.h"

/* Segment NUMBER; NULL: there is none. */
struct smtpd_disk_segment *smtpd__disk_segments_find(
    struct smtpd_disk *log, uint32_t number);

/* Room for one more in the table.  Return -1 without memory. */
int smtpd__disk_segments_grow(struct smtpd_disk *log);

/* Count a record of SIZE bytes in S as live, or no longer. */
void smtpd__disk_segments_count_live(
    struct smtpd_disk *log, struct smtpd_disk_segment *s, uint32_t size);
void smtpd__disk_segments_count_dead(
    struct smtpd_disk *log, struct smtpd_disk_segment *s, uint32_t size);

/* The bytes that are left in the segment that is appended to. */
uint32_t smtpd__disk_segments_room(const struct smtpd_disk *log);

/* How many of the spares are kept for relocation: one, as soon as there is a
 * segment to be emptied, since all that it has fits into that. */
unsigned smtpd__disk_segments_kept(const struct smtpd_disk *log);

/* The first spare in STATE; SMTPD_DISK_SPARES: there is none. */
int smtpd__disk_segments_find_spare(
    const struct smtpd_disk *log, enum smtpd_disk_spare state);

/* How many spares are ready. */
unsigned smtpd__disk_segments_spares(const struct smtpd_disk *log);

#endif
