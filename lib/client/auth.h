/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_AUTH_H
#define SMTPD_CLIENT_AUTH_H

/* AUTH (RFC 4954, 4) as the client. */

#include "client/client_state.h"

/*
 * Authenticate if the settings name a user: by the best mechanism that is
 * offered, and only to a server whose certificate is good (RFC 4954, 9).
 * Return 0, or -1 when it failed and the connection was closed.
 */
int smtpd__client_auth(struct smtpd_client *c);

#endif
