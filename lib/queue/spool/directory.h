/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_DIRECTORY_H
#define SMTPD_QUEUE_SPOOL_DIRECTORY_H

/* The directories of a spool: opened, locked, and tidied at the start. */

#include "queue/spool/core.h"

/* Open or make the directories, and take the lock.  Return 0, or -1 with the
 * reason in ERROR. */
int smtpd__spool_directory_open(
    struct smtpd_spool *s, const char *directory, char *error, size_t size);

/* Close all descriptors. */
void smtpd__spool_directory_close(struct smtpd_spool *s);

/* Delete what is left in tmp/. */
void smtpd__spool_directory_empty_tmp(struct smtpd_spool *s);

/* Delete the files in large/ without a message.  If the log was damaged, move
 * them to quarantine/ instead. */
void smtpd__spool_directory_clear_orphans(struct smtpd_spool *s);

#endif
