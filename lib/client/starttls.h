/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_STARTTLS_H
#define SMTPD_CLIENT_STARTTLS_H

/*
 * TLS on a connection out, as its policy asks for it: from the first byte, or
 * by STARTTLS (RFC 3207).
 */

#include "client/client_state.h"

/* From the next connection on, POLICY takes the place of what the settings say.
 * What it points to must live until that is open. */
void smtpd__client_starttls_set_policy(
    struct smtpd_client *c, const struct smtpd_tls_policy *policy);

/* Shake hands.  Return 0, or -1 when it failed, or the certificate is not
 * what the policy asks for, and the connection was closed. */
int smtpd__client_starttls_now(struct smtpd_client *c);

/* Switch to TLS if the policy and the server allow it, and send EHLO again.
 * Return 0, or -1 when the connection was closed. */
int smtpd__client_starttls(struct smtpd_client *c);

/* The TLS of the last connection of C, also when it failed behind the
 * handshake: "TLSv1.3/SUITE/verified", or "none". */
const char *smtpd__client_starttls_text(const struct smtpd_client *c);

/* How far the last connection of C came, and what was wrong, also when nobody
 * demanded more. */
const struct smtpd_tls_outcome *smtpd__client_starttls_outcome(
    const struct smtpd_client *c);

#endif
