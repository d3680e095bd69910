/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_CLEAN_H
#define SMTPD_MAILDIR_CLEAN_H

/*
 * Removing the files that deliveries cut off by a crash left in tmp/ of a
 * Maildir.
 */

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* As smtpd_maildir_clean(). */
ssize_t smtpd__maildir_clean(
    const char *path, size_t root_len, int64_t before_s);

#endif
