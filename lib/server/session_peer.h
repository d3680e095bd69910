/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_PEER_H
#define SMTPD_SERVER_SESSION_PEER_H

/*
 * A session turns out to be that of another client than the one that connected:
 * a proxy, or a filter, speaks for it.
 */

#include "server/session_state.h"

/*
 * Let PEER be the client of S, also for the limits.  Return false when it may
 * not come in: it was told, if anything can be said yet, and the session is
 * closed.
 */
bool smtpd__session_peer_change(
    struct smtpd_session *s, const struct smtpd_sockaddr *peer);

#endif
