/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_MAKE_H
#define SMTPD_MAILDIR_MAKE_H

/*
 * Making a Maildir, and the directories above it, so that all of it is durable
 * before mail is delivered there: smtpd_maildir_make().
 */

#include <smtpd/maildir.h>

#endif
