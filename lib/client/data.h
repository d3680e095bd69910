/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_DATA_H
#define SMTPD_CLIENT_DATA_H

/* The message after DATA, or by BDAT. */

#include "client/client_state.h"

/*
 * Send the content of M, and its end with the last block of it.  Return 0, or
 * -1 when the connection was closed: the server does not have the end then.
 */
int smtpd__client_data_send(
    struct smtpd_client *c, const struct smtpd_outgoing *m);

/*
 * Send the content of M by BDAT (RFC 3030, 2), each chunk after the reply to
 * the one before, and fill in RESULT for all recipients that were accepted.
 * Return 0, or -1 when the connection was closed.  Unless RESULT is
 * SMTPD_OUTCOME_SENT, RSET has to follow.
 */
int smtpd__client_data_chunks(struct smtpd_client *c,
    const struct smtpd_outgoing *m, struct smtpd_result *result);

/* Send the end of a message without content.  It goes out at the next wait. */
void smtpd__client_data_none(struct smtpd_client *c);

#endif
