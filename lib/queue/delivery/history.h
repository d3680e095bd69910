/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_HISTORY_H
#define SMTPD_QUEUE_DELIVERY_HISTORY_H

/* What was done in an attempt, in lines for people. */

#include <smtpd/version.h>

#include "base/text.h"

/* Append one line to TRAIL, printable ASCII whatever it is made of; one that
 * has no room is left out as a whole. */
void smtpd__history_add(struct smtpd_text *history, const char *format, ...)
    SMTPD_PRINTF(2, 3);

#endif
