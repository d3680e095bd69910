/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CLEAN_H
#define SMTPD_QUEUE_SPOOL_CLEAN_H

/* Keeping the log small. */

#include <stdbool.h>

struct smtpd_spool;

/*
 * Do a step of what keeps the log small: relocate what still lives in the
 * oldest segment, recycle it, allocate a spare.  Return whether there is more
 * to do at once.  One thread.
 */
bool smtpd__spool_clean(struct smtpd_spool *s);

#endif
