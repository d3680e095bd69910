/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_DATA_H
#define SMTPD_CLIENT_DATA_H

/* The message after DATA, or by BDAT. */

#include "client/client_state.h"

/*
 * Called with USER when the end of a content was put, before it is sent:
 * commands may be put behind it.  Must return 0, or -1 when the connection was
 * closed.
 */
typedef int smtpd_data_end_fn(void *user);

/*
 * Send the content of M, and its end with the last block of it, for which
 * AT_END is called with USER.  Return 0, or -1 when the connection was closed:
 * the server does not have the end then, unless c->result is in doubt.
 */
int smtpd__client_data_send(struct smtpd_client *c,
    const struct smtpd_outgoing *m, smtpd_data_end_fn *at_end, void *user);

/*
 * Send the content of M by BDAT (RFC 3030, 2), each chunk after the reply to
 * the one before, and fill in RESULT for all recipients that were accepted.
 * AT_END is called for the last chunk, as above.  Return 0, or -1 when the
 * connection was closed.  Unless RESULT is SMTPD_OUTCOME_SENT, RSET has to
 * follow.
 */
int smtpd__client_data_chunks(struct smtpd_client *c,
    const struct smtpd_outgoing *m, smtpd_data_end_fn *at_end, void *user,
    struct smtpd_result *result);

/* Send the end of a message without content.  It goes out at the next wait. */
void smtpd__client_data_none(struct smtpd_client *c);

#endif
