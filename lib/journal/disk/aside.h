/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_ASIDE_H
#define SMTPD_JOURNAL_DISK_ASIDE_H

/* What is set aside for the operator, in quarantine/ and dead/: the thing, and
 * beside it a file with the reason. */

#include "journal/content.h"

/* As the functions of content.h. */
int smtpd__disk_aside_keep(
    struct smtpd_journal *j, const struct smtpd_content_kept *kept);
int smtpd__disk_aside_keep_large(
    struct smtpd_journal *j, uint64_t id, const char *why);
uint64_t smtpd__disk_aside_count_kept(
    struct smtpd_journal *j, enum smtpd_content_kind kind);

/* A smtpd_disk_settings.damaged, for a store: set the range aside and report
 * it. */
int smtpd__disk_aside_damaged(void *store, const char *segment_name,
    uint64_t offset, const void *data, size_t len, const char *why);

#endif
