/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_PROXY_H
#define SMTPD_SERVER_SESSION_PROXY_H

/*
 * How a session that came by a proxy learns who its client is: from a header
 * before the client's first byte.
 */

#include "server/session_state.h"

/* Read the header of S, and let its client be the session's.  Without a valid
 * one, or where the client may not come in, the session is closed. */
void smtpd__session_proxy_begin(struct smtpd_session *s);

#endif
