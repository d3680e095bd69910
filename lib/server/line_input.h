/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_LINE_INPUT_H
#define SMTPD_SERVER_LINE_INPUT_H

/*
 * Reading one line from the client, a command or an answer to a challenge: what
 * is no line, or never comes, is answered here.
 */

#include "server/replies.h"
#include "server/session_state.h"

/*
 * Read a line of at most MAX octets with its end into *TEXT of *LEN bytes,
 * NUL-terminated, which may be changed until the next read.  Return 0, or -1:
 * the reply is set if there is one to give (TOO_LONG, with the number MAX, for
 * a longer one), and the session closes where that is due.  Return 1 where the
 * wire parks, and nothing came for a while: it is to be read again.
 */
int smtpd__line_input_read(struct smtpd_session *s, uint32_t max,
    enum smtpd_reply_key too_long, char **text, size_t *len);

#endif
