/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_GREETING_H
#define SMTPD_SERVER_GREETING_H

/*
 * The first reply of a session, and of one that begins anew.
 */

#include "server/session_state.h"

/* Set the greeting of S, or the reply by which its client is sent away: the
 * program does not want it, or it does not wait for its turn (RFC 5321,
 * 3.1). */
void smtpd__greeting_say(struct smtpd_session *s);

#endif
