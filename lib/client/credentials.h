/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_CREDENTIALS_H
#define SMTPD_CLIENT_CREDENTIALS_H

/* The secret that a user logs in by: where it comes from, and that nobody else
 * sees it. */

#include "client/client_state.h"

/* Octets of a user's name, or of a password. */
#define SMTPD_CLIENT_PASSWORD_MAX 512

/* Have the secret for a connection to HOST, if the settings name a user: their
 * password, or what their callback gives.  Return 0, or -1 when there is none,
 * or none that can be sent. */
int smtpd__client_credentials_get(struct smtpd_client *c, const char *host);

/* Whether the last connection failed since the server refused a secret in whose
 * place the callback has another one now: the caller is to come once more. */
bool smtpd__client_credentials_renew(struct smtpd_client *c);

/* Remember what was sent to the server last, in base64. */
void smtpd__client_credentials_note_sent(
    struct smtpd_client *c, const char *text);

/* The login failed, as the result says: add what else is known of it, and hide
 * secrets that the server repeats. */
void smtpd__client_credentials_explain(struct smtpd_client *c);

/* Forget the secret, and what was sent of it. */
void smtpd__client_credentials_forget(struct smtpd_client *c);

#endif
