/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_CONTENT_H
#define SMTPD_CLIENT_CONTENT_H

/* The message after DATA. */

#include "client/client.h"

/*
 * Send the content of M, and its end with the last block of it.  Return 0, or
 * -1 when the connection was closed: the server does not have the end then.
 */
int smtpd_content_send(struct smtpd_client *c, const struct smtpd_outgoing *m);

/* Send the end of a message without content.  It goes out at the next wait. */
void smtpd_content_none(struct smtpd_client *c);

#endif
