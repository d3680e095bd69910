/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_FILTER_CHANGE_H
#define SMTPD_SERVER_FILTER_CHANGE_H

/*
 * What a filter may change: the header, the body, and the envelope, by
 * smtpd_session_add_field() and its kind.
 */

#include <smtpd/filter.h>

#endif
