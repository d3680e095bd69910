/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_SESSION_TLS_H
#define SMTPD_SERVER_SESSION_TLS_H

/*
 * How a session goes over to TLS: by STARTTLS (RFC 3207), or from its first
 * byte (RFC 8314).
 */

#include "server/session_state.h"

/* Make a connection of the session's TLS; NULL: it has none, or there is no
 * memory. */
struct smtpd_tls_conn *smtpd__session_tls_prepare(struct smtpd_session *s);

/*
 * Shake hands with CONN, which becomes the session's, after what is in the
 * output was sent; then forget all that the client said before.  When it
 * fails the session is closed without a word.
 */
void smtpd__session_tls_start(
    struct smtpd_session *s, struct smtpd_tls_conn *conn);

/* Begin a session with TLS: nothing is said before it is up. */
void smtpd__session_tls_begin(struct smtpd_session *s);

#endif
