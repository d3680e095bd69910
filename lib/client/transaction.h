/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_TRANSACTION_H
#define SMTPD_CLIENT_TRANSACTION_H

/* One mail transaction: MAIL, RCPT, and the message by DATA or BDAT. */

#include "client/client_state.h"

/*
 * Send MESSAGE over the open connection of C, and fill in a result for each
 * recipient.  Return 0 when the connection is good for another message, or -1
 * when it was closed.
 */
int smtpd__client_transaction(struct smtpd_client *c,
    const struct smtpd_outgoing *message, struct smtpd_result *results);

/* Use BDAT over the open connection of C where it is offered, unless the
 * settings forbid it; or do not. */
void smtpd__client_transaction_set_bdat(struct smtpd_client *c, bool used);

/* Use PIPELINING on the open connection where it is offered; or do not. */
void smtpd__client_transaction_set_pipelining(
    struct smtpd_client *c, bool used);

/* Whether the last transaction ended since a group of commands had not all of
 * its replies in time. */
bool smtpd__client_transaction_group_lost(const struct smtpd_client *c);

/* Whether the last transaction ended because BDAT was refused so. */
bool smtpd__client_transaction_bdat_refused(const struct smtpd_client *c);

#endif
