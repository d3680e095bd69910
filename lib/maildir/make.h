/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_MAKE_H
#define SMTPD_MAILDIR_MAKE_H

/*
 * Making a Maildir, and the directories above it, so that all of it is durable
 * before mail is delivered there.
 */

#include <stddef.h>

/* As smtpd_maildir_make(); ROOT_LEN is no more than the length of PATH. */
int smtpd__maildir_make(const char *path, size_t root_len);

#endif
