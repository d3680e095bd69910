/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_CLEAN_H
#define SMTPD_MAILDIR_CLEAN_H

/*
 * Removing the files that deliveries cut off by a crash left in tmp/ of a
 * Maildir: smtpd_maildir_clean().
 */

#include <smtpd/maildir.h>

#endif
