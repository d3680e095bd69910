/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_APPEND_H
#define SMTPD_JOURNAL_DISK_APPEND_H

/* Appending: many threads form a batch, and one of them writes it for all. */

#include "journal/disk/disk.h"

/*
 * As the functions of journal.h.  No file is written to again after a write or
 * sync of it failed: the log goes on in a new segment.
 */
int smtpd__disk_append(struct smtpd_disk *log,
    struct smtpd_journal_record *records, size_t n, unsigned flags);
int smtpd__disk_append_begin(struct smtpd_disk *log,
    struct smtpd_journal_record *records, size_t n, unsigned flags,
    struct smtpd_journal_promise *p);
int smtpd__disk_append_end(
    struct smtpd_disk *log, struct smtpd_journal_promise *p);

/* Sync any batch that was begun.  Call it periodically: a thread that used
 * smtpd__disk_append_begin() may not wait for a long time. */
void smtpd__disk_append_flush(struct smtpd_disk *log);

#endif
