/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_LIST_H
#define SMTPD_JOURNAL_DISK_LIST_H

/* What files the log finds when it is opened. */

#include "journal/disk/state.h"

/*
 * Fill in the table of segments, in order, and the spares; what is left over
 * from a crash goes, unless the log is read-only.  Return -1 with errno.
 */
int smtpd__disk_list(struct smtpd_disk *log);

#endif
