/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_FILTER_CHANGE_H
#define SMTPD_SERVER_FILTER_CHANGE_H

/*
 * What a filter may change: smtpd_session_add_field(), smtpd_session_add_rcpt()
 * and smtpd_session_remove_rcpt().
 */

#include <smtpd/filter.h>

#endif
