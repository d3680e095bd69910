/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_CHECK_H
#define SMTPD_MAILDIR_CHECK_H

/*
 * Whether a message can be delivered into a Maildir, so that one mailbox in
 * trouble is known before a message for several arrives:
 * smtpd_maildir_check().
 */

#include <smtpd/maildir.h>

#endif
