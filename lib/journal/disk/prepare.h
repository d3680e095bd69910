/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_PREPARE_H
#define SMTPD_JOURNAL_DISK_PREPARE_H

/* What is made ready before somebody waits for it. */

#include "journal/disk/disk.h"

/*
 * Make and fill a spare segment if there is none, and write the index of one
 * sealed segment that has none.  Return 1 when there is more to do, 0 when not,
 * -1 with errno when something failed, which does no harm.
 */
int smtpd__disk_prepare(struct smtpd_disk *log);

#endif
