/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_JOURNAL_DISK_CONTENTS_H
#define SMTPD_JOURNAL_DISK_CONTENTS_H

/* Large contents as files: written in tmp/, kept in large/. */

#include "journal/content.h"

/* As the functions of content.h. */
struct smtpd_content_writer *smtpd__disk_contents_begin(
    struct smtpd_journal *j);
int smtpd__disk_contents_write(
    struct smtpd_content_writer *writer, const void *data, size_t len);
int smtpd__disk_contents_overwrite(
    struct smtpd_content_writer *writer, const void *data, size_t len);
ssize_t smtpd__disk_contents_read_back(
    const struct smtpd_content_writer *writer, uint64_t offset, void *buf,
    size_t len);
int smtpd__disk_contents_publish(
    struct smtpd_content_writer *writer, uint64_t id);
void smtpd__disk_contents_abandon(struct smtpd_content_writer *writer);
struct smtpd_content_reader *smtpd__disk_contents_open(
    struct smtpd_journal *j, uint64_t id);
ssize_t smtpd__disk_contents_read_at(const struct smtpd_content_reader *reader,
    uint64_t offset, void *buf, size_t len);
void smtpd__disk_contents_close(struct smtpd_content_reader *reader);
void smtpd__disk_contents_remove(struct smtpd_journal *j, uint64_t id);
int smtpd__disk_contents_each(
    struct smtpd_journal *j, int (*fn)(void *user, uint64_t id), void *user);

#endif
