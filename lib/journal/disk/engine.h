/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_ENGINE_H
#define SMTPD_JOURNAL_DISK_ENGINE_H

/* The engine that keeps a journal in a directory of the local disk
 * (doc/queue-format.md).  Its location is the directory's path. */

#include "journal/journal.h"

extern const struct smtpd_journal_engine smtpd__disk_engine;

#endif
