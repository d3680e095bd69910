/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_TRACE_H
#define SMTPD_SERVER_TRACE_H

/*
 * smtpd_session_received() and smtpd_session_trace(): the trace fields of a
 * transaction, and what must
 * stand between it and the message.
 */

#include <smtpd/session.h>

#endif
