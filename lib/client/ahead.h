/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_AHEAD_H
#define SMTPD_CLIENT_AHEAD_H

/*
 * The commands of the next message in one group with the end of the content
 * before it (RFC 2920, 3.1), which saves a round trip.  Its own content is sent
 * by the next smtpd_client_send(), when the caller knows what became of the
 * first one.
 */

#include "client/commands.h"

/* Room for output that is left behind the end of a content: the commands that
 * come there go out with it, or not at all. */
#define SMTPD_AHEAD_ROOM 8192

/*
 * The end of the content of X was put: ask its message for the next one, and
 * put the commands of that behind, if they may come there: each recipient of X
 * was accepted, so that no reply to X can be taken for one to another command.
 * Return 0, or -1 when the connection was closed.  USER is X.
 */
int smtpd__client_ahead_begin(void *user);

/* Whether commands are on their way, for another message than M. */
bool smtpd__client_ahead_is_other(
    const struct smtpd_client *c, const struct smtpd_outgoing *m);

/* The message that commands are on their way for is to be sent: return how
 * many; 0: there is none. */
size_t smtpd__client_ahead_take(struct smtpd_client *c);

/* Read the replies to commands that are on their way, DATA not among them, and
 * forget them: RSET is to follow.  Return 0, or -1 when the connection was
 * closed. */
int smtpd__client_ahead_drop(struct smtpd_client *c);

#endif
