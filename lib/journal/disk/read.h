/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_READ_H
#define SMTPD_JOURNAL_DISK_READ_H

/* Single records, read back. */

#include "journal/disk/disk.h"

/* As the functions of journal.h; SIZE_MAX as BODY_MAX: the whole body. */
void *smtpd__disk_read(struct smtpd_disk *log, struct smtpd_record_ref ref,
    size_t body_max, struct smtpd_journal_record *record, const void **body);
void *smtpd__disk_read_raw(struct smtpd_disk *log, struct smtpd_record_ref ref,
    uint32_t size, struct smtpd_journal_raw *raw);

#endif
