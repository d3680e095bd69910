/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_EHLO_H
#define SMTPD_CLIENT_EHLO_H

/* The beginning of a connection: who we are, what the server offers, TLS. */

#include "client/client_state.h"

/* Hear the greeting.  Return 0, or -1 when the connection was closed. */
int smtpd__client_ehlo_greeting(struct smtpd_client *c);

/* Say EHLO, and HELO if that is not known, and keep what is offered.  Return
 * 0, or -1 when the connection was closed. */
int smtpd__client_ehlo(struct smtpd_client *c);

/* Shake hands.  Return 0, or -1 when it failed, or the certificate is not
 * what the settings ask for, and the connection was closed. */
int smtpd__client_starttls_now(struct smtpd_client *c);

/* Go over to TLS if the settings and the server will have it, and say hello
 * again.  Return 0, or -1 when the connection was closed. */
int smtpd__client_starttls(struct smtpd_client *c);

#endif
