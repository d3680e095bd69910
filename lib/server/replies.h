/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_REPLIES_H
#define SMTPD_SERVER_REPLIES_H

/*
 * All replies that the library gives by itself, in one table: name, code,
 * enhanced code and text.  A program may translate the texts.
 */

#include <smtpd/server.h>

#include "grammar/reply.h"

/* In the order of the table. */
enum smtpd_reply_key {
	SMTPD_REPLY_GREETING,
	SMTPD_REPLY_HELO,
	SMTPD_REPLY_EHLO,
	SMTPD_REPLY_READY_FOR_TLS,
	SMTPD_REPLY_SENDER_OK,
	SMTPD_REPLY_RECIPIENT_OK,
	SMTPD_REPLY_SEND_DATA,
	SMTPD_REPLY_DELIVERED,
	SMTPD_REPLY_OK,
	SMTPD_REPLY_HELP,
	SMTPD_REPLY_GOODBYE,

	SMTPD_REPLY_NOT_SMTP,
	SMTPD_REPLY_TOO_EARLY,
	SMTPD_REPLY_UNKNOWN_COMMAND,
	SMTPD_REPLY_LINE_TOO_LONG,
	SMTPD_REPLY_LINE_ENDLESS,
	SMTPD_REPLY_BARE_LF_COMMAND,
	SMTPD_REPLY_NO_PIPELINING,
	SMTPD_REPLY_NO_ARGUMENT,
	SMTPD_REPLY_NOT_IMPLEMENTED,
	SMTPD_REPLY_HELLO_FIRST,
	SMTPD_REPLY_MAIL_FIRST,
	SMTPD_REPLY_RCPT_FIRST,
	SMTPD_REPLY_NESTED_MAIL,
	SMTPD_REPLY_IN_TRANSACTION,

	SMTPD_REPLY_BAD_HELLO,
	SMTPD_REPLY_BAD_ATTRIBUTES,
	SMTPD_REPLY_TLS_ACTIVE,
	SMTPD_REPLY_NO_TLS,
	SMTPD_REPLY_BAD_SENDER,
	SMTPD_REPLY_BAD_RECIPIENT,
	SMTPD_REPLY_SENDER_TOO_LONG,
	SMTPD_REPLY_RECIPIENT_TOO_LONG,
	SMTPD_REPLY_ADDRESS_NOT_ASCII,
	SMTPD_REPLY_ADDRESS_NEEDS_SMTPUTF8,
	SMTPD_REPLY_ADDRESS_BAD_UTF8,
	SMTPD_REPLY_NO_MEMORY,
	SMTPD_REPLY_BAD_PARAM,
	SMTPD_REPLY_BAD_PARAM_VALUE,
	SMTPD_REPLY_BAD_SIZE,
	SMTPD_REPLY_BAD_BODY,
	SMTPD_REPLY_REPEATED_PARAM,
	SMTPD_REPLY_TOO_MANY_PARAMS,
	SMTPD_REPLY_UNKNOWN_PARAM,
	SMTPD_REPLY_NO_RECIPIENTS,
	SMTPD_REPLY_TOO_MANY_RECIPIENTS,
	SMTPD_REPLY_RECIPIENTS_TOO_FAST,
	SMTPD_REPLY_NO_VALID_RECIPIENTS,

	SMTPD_REPLY_MESSAGE_TOO_LARGE,
	SMTPD_REPLY_MESSAGE_ENDLESS,
	SMTPD_REPLY_MESSAGE_SLOW,
	SMTPD_REPLY_BARE_CR,
	SMTPD_REPLY_BARE_LF,
	SMTPD_REPLY_NUL,
	SMTPD_REPLY_LONG_LINE,
	SMTPD_REPLY_LOOP,

	SMTPD_REPLY_TOO_MANY_CONNECTIONS,
	SMTPD_REPLY_TOO_MANY_FROM_PEER,
	SMTPD_REPLY_TOO_FAST_FROM_PEER,
	SMTPD_REPLY_TOO_BUSY,
	SMTPD_REPLY_TOO_MANY_MESSAGES,
	SMTPD_REPLY_TOO_MANY_ERRORS,
	SMTPD_REPLY_TIMEOUT,
	SMTPD_REPLY_SHUTTING_DOWN,
	SMTPD_REPLY_LOCAL_ERROR,
	SMTPD_REPLY_NONE, /* no reply; and their number */
};

/* The longest text that a program may set. */
#define SMTPD_REPLIES_TEXT_MAX 400

/* The replies of one server. */
struct smtpd_replies {
	struct smtpd_reply_text list[SMTPD_REPLY_NONE];
};

/* Begin with the library's own texts. */
void smtpd__replies_init(struct smtpd_replies *r);

/* Free the texts that were set. */
void smtpd__replies_finish(struct smtpd_replies *r);

/*
 * Set the text of the reply called NAME to a copy of TEXT.  Return 0, or -1
 * with errno EINVAL (no such name, or not a text for it, see
 * smtpd_server_set_reply_text()) or ENOMEM.
 */
int smtpd__replies_set(
    struct smtpd_replies *r, const char *name, const char *text);

/* Write reply KEY to OUT, with ARGUMENT (or NULL: "") where the text has
 * "{}". */
void smtpd__replies_write(const struct smtpd_replies *r,
    enum smtpd_reply_key key, const char *argument, struct smtpd_reply *out);

#endif
