/* SPDX-License-Identifier: MIT */
#ifndef SESSION_H
#define SESSION_H

/*
 * A session with smtpout over the standard input and output, as mailers of
 * programming languages have it with "sendmail -bs".
 */

#include "arguments.h"

/* Pass on what both sides say until smtpout closes; a line of the caller may
 * end with LF.  Return an exit status: EX_TEMPFAIL, after a reply of ours, when
 * smtpout does not answer. */
int session_run(const struct arguments *a);

#endif
