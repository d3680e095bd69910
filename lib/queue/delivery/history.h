/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_HISTORY_H
#define SMTPD_QUEUE_DELIVERY_HISTORY_H

/* The history of an attempt: lines for people of what was done, from the
 * look-up to the last reply. */

#include <smtpd/version.h>

#include "base/text.h"

/* Append one line to HISTORY, filtered to printable ASCII.  A line that has no
 * room is left out as a whole. */
void smtpd__history_add(struct smtpd_text *history, const char *format, ...)
    SMTPD_PRINTF(2, 3);

#endif
