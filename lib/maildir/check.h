/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_CHECK_H
#define SMTPD_MAILDIR_CHECK_H

/*
 * Whether a message can be delivered into a Maildir, so that one mailbox in
 * trouble is known before a message for several arrives.
 */

#include <stddef.h>
#include <stdint.h>

/* As smtpd_maildir_check(). */
int smtpd__maildir_check(const char *path, size_t root_len, uint64_t size);

#endif
