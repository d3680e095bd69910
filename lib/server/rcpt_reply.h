/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_RCPT_REPLY_H
#define SMTPD_SERVER_RCPT_REPLY_H

/*
 * The replies to a message for each of its recipients: kept while it is
 * delivered, sent one by one in LMTP, and folded into one in SMTP.
 */

#include "server/session_state.h"

/* Forget the replies of recipients: that to the message counts for all. */
void smtpd__rcpt_reply_drop(struct smtpd_session *s);

/*
 * Make one of the reply to the message, which is set, and those of recipients,
 * by the rule of smtpd_reply_rcpt().  Return the code that says what became of
 * the message: in LMTP the first 2xx, if there is one.
 */
int smtpd__rcpt_reply_complete(struct smtpd_session *s);

/* Send the reply of each recipient, in their order (RFC 2033, 4.2), to the
 * command in LINE; none is left to be sent. */
void smtpd__rcpt_reply_send(
    struct smtpd_session *s, const struct smtpd_command_line *line);

#endif
