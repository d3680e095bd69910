/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_RECYCLE_H
#define SMTPD_JOURNAL_DISK_RECYCLE_H

/* Recycling the oldest segments, once nothing in them is live. */

#include "journal/disk/disk.h"

/*
 * The number of the oldest sealed segment, if it is worth it to empty it: it
 * has nothing live, or more is dead in all sealed segments than is live in them
 * and four segments.  So at most about as much is copied as was appended.
 * Where smtpd__disk_prepare() found the disk full it is enough that half of the
 * oldest segment is dead, or as much as a segment of all.  0: it is not
 * worth it.
 */
uint32_t smtpd__disk_recycle_due(struct smtpd_disk *log);

/* Recycle the oldest sealed segments as long as they have nothing live.  Return
 * how many. */
unsigned smtpd__disk_recycle(struct smtpd_disk *log);

#endif
