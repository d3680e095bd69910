/* SPDX-License-Identifier: MIT */
#ifndef USER_TRACE_H
#define USER_TRACE_H

/*
 * The trace field of a message that a user of this host submitted, but not over
 * SMTP.
 */

#include <sys/types.h>

#include "hostname.h"

#define USER_TRACE_SIZE (HOSTNAME_SIZE + 256)

/* Write "Received: by HOST (PROGRAM, from userid UID)" with the time, folded
 * and ended by CRLF, to BUF of USER_TRACE_SIZE. */
void user_trace_write(
    const char *host, const char *program, uid_t uid, char *buf);

#endif
