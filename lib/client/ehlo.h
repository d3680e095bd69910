/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_EHLO_H
#define SMTPD_CLIENT_EHLO_H

/* Greeting and EHLO: our name, and what the server offers. */

#include "client/client_state.h"

/* Read the greeting.  Return 0, or -1 when the connection was closed. */
int smtpd__client_ehlo_greeting(struct smtpd_client *c);

/* Send EHLO, and HELO if that is not known, and store what is offered.  Return
 * 0, or -1 when the connection was closed. */
int smtpd__client_ehlo(struct smtpd_client *c);

#endif
