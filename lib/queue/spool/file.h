/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_FILE_H
#define SMTPD_QUEUE_SPOOL_FILE_H

/* Files in tmp/, before they get their final name. */

#include "queue/spool/core.h"

/* Make a file in tmp/, its name in NAME.  Return its descriptor, or -1. */
int smtpd__spool_file_make(
    struct smtpd_spool *s, char name[SMTPD_SPOOL_NAME_MAX]);

#endif
