/* SPDX-License-Identifier: MIT */
#ifndef USER_TRACE_H
#define USER_TRACE_H

/*
 * The trace field of a message that a user of this host submitted, but not over
 * SMTP, and its date.
 */

#include <sys/types.h>

#include <time.h>

#include "hostname.h"

#define USER_TRACE_SIZE (HOSTNAME_SIZE + 256)

/* Write "Received: by HOST (PROGRAM, from userid UID)" with the time WHEN,
 * folded and ended by CRLF, to BUF of USER_TRACE_SIZE. */
void user_trace_write(
    const char *host, const char *program, uid_t uid, time_t when, char *buf);

/* Write WHEN as the header has it (RFC 5322, 3.3), to BUF of
 * USER_TRACE_DATE_SIZE; "" where that cannot be. */
#define USER_TRACE_DATE_SIZE 64
void user_trace_date(time_t when, char *buf);

#endif
