/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_WAIT_H
#define SMTPD_SERVER_SESSION_WAIT_H

/*
 * How a callback waits for something else than its client, and what ends that:
 * smtpd_session_wait() and smtpd_session_cancel().
 */

#include <stdint.h>

#include "server/session_state.h"

/* Give back what a wait took, when no callback runs. */
void smtpd__session_wait_release(struct smtpd_session *s);

/* The message has come, or is read once more: from the first time on its client
 * waits for the reply, and callbacks have settings.delivery_timeout_ms. */
void smtpd__session_wait_note_end(struct smtpd_session *s);

/* The message was answered. */
void smtpd__session_wait_forget_end(struct smtpd_session *s);

#endif
