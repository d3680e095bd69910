/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_MAILDIR_USAGE_H
#define SMTPD_MAILDIR_USAGE_H

/*
 * How many octets the messages in a Maildir have, and in its folders, by the
 * sizes in their names: smtpd_maildir_usage().
 */

#include <smtpd/maildir.h>

#endif
