/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_MESSAGE_H
#define SMTPD_SERVER_MESSAGE_H

/*
 * The message of a transaction, whichever command carries it: delivered by the
 * program, answered, and with it the transaction is over.
 */

#include "server/body_input.h"
#include "server/body_source.h"
#include "server/replies.h"
#include "server/verb_table.h"

/* Receive the message of S that SOURCE reads from IN, begun by the command in
 * LINE, and set the reply to it, or send those of LMTP. */
void smtpd__message_receive(struct smtpd_session *s,
    const struct smtpd_command_line *line, struct smtpd_body_input *in,
    struct smtpd_body_source *source);

/* The same for a message that is refused because of KEY, or else by the reply
 * that is set: read and drop it, and with it its transaction, if one is
 * open. */
void smtpd__message_refuse(struct smtpd_session *s,
    const struct smtpd_command_line *line, struct smtpd_body_input *in,
    struct smtpd_body_source *source, enum smtpd_reply_key key);

#endif
