/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_USAGE_H
#define SMTPD_MAILDIR_USAGE_H

/*
 * How many octets the messages in a Maildir have, and in its folders, by the
 * sizes in their names.
 */

#include <stddef.h>
#include <stdint.h>

/* As smtpd_maildir_usage(). */
int smtpd__maildir_usage(const char *path, size_t root_len, uint64_t *octets);

#endif
