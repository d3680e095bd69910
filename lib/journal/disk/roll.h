/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_ROLL_H
#define SMTPD_JOURNAL_DISK_ROLL_H

/* The next segment, and spare files that are allocated ahead for it. */

#include "journal/disk/state.h"

/*
 * Make the next segment, and append to it from now on; RELOCATION: it may be
 * the spare that is kept for that.  The log is busy by the
 * caller's doing, and nothing waits to be written; the lock is held, and not
 * while it works.  On failure all is as before.
 */
int smtpd__disk_roll(struct smtpd_disk *log, bool relocation);

/* Make a spare where there is none, and FILL it if nobody waits for it, under
 * the same conditions but for being busy: one thread at a time.  Return -1 with
 * errno, or with EAGAIN when all are being made or taken. */
int smtpd__disk_roll_make_spare(struct smtpd_disk *log, bool fill);

#endif
