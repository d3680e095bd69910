/* SPDX-License-Identifier: MIT */
#include "server/replies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Where the argument of a reply stands in its text. */
static const char hole[] = "{}";

static const struct smtpd_reply_text table[SMTPD_REPLY_NONE] = {
	/* Success. */
	[SMTPD_REPLY_GREETING] = { "greeting", 220, "", "{} ESMTP" },
	[SMTPD_REPLY_GREETING_LMTP] = { "greeting_lmtp", 220, "", "{} LMTP" },
	[SMTPD_REPLY_HELO] = { "helo", 250, "", "{}" },
	[SMTPD_REPLY_EHLO] = { "ehlo", 250, "", "{}" },
	[SMTPD_REPLY_READY_FOR_TLS] = { "ready_for_tls", 220, "2.0.0",
	    "Ready to start TLS" },
	[SMTPD_REPLY_SENDER_OK] = { "sender_ok", 250, "2.1.0", "Sender OK" },
	[SMTPD_REPLY_RECIPIENT_OK] = { "recipient_ok", 250, "2.1.5",
	    "Recipient OK" },
	[SMTPD_REPLY_SEND_DATA] = { "send_data", 354, "",
	    "End data with <CRLF>.<CRLF>" },
	[SMTPD_REPLY_DELIVERED] = { "delivered", 250, "2.0.0", "OK, id={}" },
	[SMTPD_REPLY_CHUNK] = { "chunk", 250, "2.0.0",
	    "OK, {} octets received" },
	[SMTPD_REPLY_OK] = { "ok", 250, "2.0.0", "OK" },
	[SMTPD_REPLY_HELP] = { "help", 214, "2.0.0",
	    "Commands: {} MAIL RCPT DATA RSET NOOP QUIT HELP" },
	[SMTPD_REPLY_GOODBYE] = { "goodbye", 221, "2.0.0", "Bye" },
	[SMTPD_REPLY_AUTHENTICATED] = { "authenticated", 235, "2.7.0",
	    "Authentication successful" },

	/* The command as such, and its place. */
	[SMTPD_REPLY_NOT_SMTP] = { "not_smtp", 521, "5.7.0",
	    "This server speaks {} only" },
	[SMTPD_REPLY_TOO_EARLY] = { "too_early", 521, "5.5.1",
	    "Client must wait for the greeting" },
	[SMTPD_REPLY_UNKNOWN_COMMAND] = { "unknown_command", 500, "5.5.2",
	    "Command not recognized" },
	[SMTPD_REPLY_LINE_TOO_LONG] = { "line_too_long", 500, "5.5.2",
	    "Line too long (limit {} octets)" },
	[SMTPD_REPLY_LINE_ENDLESS] = { "line_endless", 421, "4.5.2",
	    "Line too long, closing connection" },
	[SMTPD_REPLY_BARE_LF_COMMAND] = { "bare_lf_command", 500, "5.5.2",
	    "Line must end with CRLF (bare LF received)" },
	[SMTPD_REPLY_NO_PIPELINING] = { "no_pipelining", 554, "5.5.0",
	    "Pipelining not allowed here" },
	[SMTPD_REPLY_NO_ARGUMENT] = { "no_argument", 501, "5.5.4",
	    "{} takes no argument" },
	[SMTPD_REPLY_NOT_IMPLEMENTED] = { "not_implemented", 502, "5.5.1",
	    "{} not implemented" },
	[SMTPD_REPLY_HELLO_FIRST] = { "hello_first", 503, "5.5.1",
	    "Send {} first" },
	[SMTPD_REPLY_MAIL_FIRST] = { "mail_first", 503, "5.5.1",
	    "Send MAIL first" },
	[SMTPD_REPLY_RCPT_FIRST] = { "rcpt_first", 503, "5.5.1",
	    "Send RCPT first" },
	[SMTPD_REPLY_NESTED_MAIL] = { "nested_mail", 503, "5.5.1",
	    "Nested MAIL command; send RSET first" },
	[SMTPD_REPLY_IN_TRANSACTION] = { "in_transaction", 503, "5.5.1",
	    "{} not allowed in a transaction; send RSET first" },
	[SMTPD_REPLY_BINARY_DATA] = { "binary_data", 503, "5.5.1",
	    "BODY=BINARYMIME requires BDAT" },

	/* Its argument. */
	[SMTPD_REPLY_BAD_HELLO] = { "bad_hello", 501, "5.5.4",
	    "{} requires a domain or address literal" },
	[SMTPD_REPLY_BAD_ATTRIBUTES] = { "bad_attributes", 501, "5.5.4",
	    "Invalid attributes of {}; use NAME=value" },
	[SMTPD_REPLY_TLS_ACTIVE] = { "tls_active", 503, "5.5.1",
	    "TLS is already active" },
	[SMTPD_REPLY_NO_TLS] = { "no_tls", 454, "4.7.0",
	    "TLS not available, try again later" },
	[SMTPD_REPLY_BAD_SENDER] = { "bad_sender", 501, "5.1.7",
	    "Invalid sender; use MAIL FROM:<user@domain>" },
	[SMTPD_REPLY_BAD_RECIPIENT] = { "bad_recipient", 501, "5.1.3",
	    "Invalid recipient; use RCPT TO:<user@domain>" },
	[SMTPD_REPLY_SENDER_TOO_LONG] = { "sender_too_long", 501, "5.1.7",
	    "Sender address too long" },
	[SMTPD_REPLY_RECIPIENT_TOO_LONG] = { "recipient_too_long", 501, "5.1.3",
	    "Recipient address too long" },
	[SMTPD_REPLY_ADDRESS_NOT_ASCII] = { "address_not_ascii", 553, "5.6.7",
	    "Non-ASCII addresses are not supported" },
	[SMTPD_REPLY_ADDRESS_NEEDS_SMTPUTF8] = { "address_needs_smtputf8", 553,
	    "5.6.7", "Non-ASCII addresses require the parameter SMTPUTF8" },
	[SMTPD_REPLY_ADDRESS_BAD_UTF8] = { "address_bad_utf8", 553, "5.6.7",
	    "Invalid address: not UTF-8, or not a valid internationalized "
	    "domain" },
	[SMTPD_REPLY_NO_MEMORY] = { "no_memory", 452, "4.3.1",
	    "Insufficient memory, try again later" },
	[SMTPD_REPLY_NO_STORAGE] = { "no_storage", 452, "4.3.1",
	    "Insufficient system storage, try again later" },
	[SMTPD_REPLY_DELIVERY_LATE] = { "delivery_late", 451, "4.3.0",
	    "Delivery took too long, try again later" },
	[SMTPD_REPLY_BAD_PARAM] = { "bad_param", 501, "5.5.4",
	    "Invalid parameter syntax" },
	[SMTPD_REPLY_BAD_PARAM_VALUE] = { "bad_param_value", 501, "5.5.4",
	    "Invalid value for parameter {}" },
	[SMTPD_REPLY_BAD_SIZE] = { "bad_size", 501, "5.5.4",
	    "SIZE requires a number of octets" },
	[SMTPD_REPLY_BAD_BODY] = { "bad_body", 501, "5.5.4",
	    "BODY must be {}" },
	[SMTPD_REPLY_BAD_CHUNK] = { "bad_chunk", 501, "5.5.4",
	    "Use BDAT <octets> [LAST]; closing connection" },
	[SMTPD_REPLY_REQUIRETLS_NEEDS_TLS] = { "requiretls_needs_tls", 530,
	    "5.7.10", "REQUIRETLS not allowed without TLS" },
	[SMTPD_REPLY_DELIVERY_TOO_SOON] = { "delivery_too_soon", 554, "5.4.7",
	    "Cannot deliver as soon as that (minimum {} seconds)" },
	[SMTPD_REPLY_RELEASE_TOO_LATE] = { "release_too_late", 501, "5.5.4",
	    "Cannot hold a message as long as that (limit {} seconds)" },
	[SMTPD_REPLY_REPEATED_PARAM] = { "repeated_param", 501, "5.5.4",
	    "Parameter given more than once" },
	[SMTPD_REPLY_TOO_MANY_PARAMS] = { "too_many_params", 501, "5.5.4",
	    "Too many parameters" },
	[SMTPD_REPLY_UNKNOWN_PARAM] = { "unknown_param", 555, "5.5.4",
	    "Parameter {} not supported" },
	[SMTPD_REPLY_NO_RECIPIENTS] = { "no_recipients", 550, "5.7.1",
	    "No recipients are accepted by this server" },
	[SMTPD_REPLY_TOO_MANY_RECIPIENTS] = { "too_many_recipients", 452,
	    "4.5.3", "Too many recipients (limit {})" },
	[SMTPD_REPLY_RECIPIENTS_TOO_FAST] = { "recipients_too_fast", 450,
	    "4.7.0", "Too many recipients from your network, try again later" },
	[SMTPD_REPLY_NO_VALID_RECIPIENTS] = { "no_valid_recipients", 554,
	    "5.5.1", "No valid recipients" },

	/* AUTH (RFC 4954, 6). */
	[SMTPD_REPLY_EHLO_FIRST] = { "ehlo_first", 503, "5.5.1",
	    "Send EHLO first" },
	[SMTPD_REPLY_AUTH_TWICE] = { "auth_twice", 503, "5.5.1",
	    "Already authenticated" },
	[SMTPD_REPLY_AUTH_IN_TRANSACTION] = { "auth_in_transaction", 503,
	    "5.5.1", "AUTH not allowed in a transaction; send RSET first" },
	[SMTPD_REPLY_AUTH_NEEDS_TLS] = { "auth_needs_tls", 538, "5.7.11",
	    "AUTH not allowed without TLS" },
	[SMTPD_REPLY_AUTH_SYNTAX] = { "auth_syntax", 501, "5.5.4",
	    "Use AUTH mechanism [initial response]" },
	[SMTPD_REPLY_UNKNOWN_MECHANISM] = { "unknown_mechanism", 504, "5.5.4",
	    "Authentication mechanism not supported" },
	[SMTPD_REPLY_AUTH_SERVER_FIRST] = { "auth_server_first", 501, "5.7.0",
	    "Mechanism takes no initial response" },
	[SMTPD_REPLY_AUTH_CANCELLED] = { "auth_cancelled", 501, "5.7.0",
	    "Authentication cancelled" },
	[SMTPD_REPLY_AUTH_NOT_BASE64] = { "auth_not_base64", 501, "5.5.2",
	    "Cannot decode base64" },
	[SMTPD_REPLY_AUTH_TOO_LONG] = { "auth_too_long", 500, "5.5.6",
	    "Authentication exchange line too long (limit {} octets)" },
	[SMTPD_REPLY_AUTH_BAD_MESSAGE] = { "auth_bad_message", 501, "5.5.2",
	    "Invalid message of the authentication mechanism" },
	[SMTPD_REPLY_AUTH_FAILED] = { "auth_failed", 535, "5.7.8",
	    "Authentication failed" },
	[SMTPD_REPLY_AUTH_UNAVAILABLE] = { "auth_unavailable", 454, "4.7.0",
	    "Authentication not available, try again later" },
	[SMTPD_REPLY_AUTH_REQUIRED] = { "auth_required", 530, "5.7.0",
	    "Authentication required" },
	[SMTPD_REPLY_TOO_MANY_AUTH_FAILURES] = { "too_many_auth_failures", 421,
	    "4.7.0", "Too many failed authentications, closing connection" },
	[SMTPD_REPLY_AUTH_TOO_FAST] = { "auth_too_fast", 421, "4.7.0",
	    "Too many failed authentications from your network, try again "
	    "later" },

	/* The message. */
	[SMTPD_REPLY_MESSAGE_TOO_LARGE] = { "message_too_large", 552, "5.3.4",
	    "Message too large (limit {} octets)" },
	[SMTPD_REPLY_HEADER_TOO_LONG] = { "header_too_long", 552, "5.3.4",
	    "Header too long to be checked" },
	[SMTPD_REPLY_MESSAGE_ENDLESS] = { "message_endless", 421, "4.3.4",
	    "Message far too large, closing connection" },
	[SMTPD_REPLY_MESSAGE_SLOW] = { "message_slow", 421, "4.4.2",
	    "Timeout, message is arriving too slowly" },
	[SMTPD_REPLY_BARE_CR] = { "bare_cr", 550, "5.5.2",
	    "Message contains a bare CR" },
	[SMTPD_REPLY_BARE_LF] = { "bare_lf", 550, "5.5.2",
	    "Message contains a bare LF" },
	[SMTPD_REPLY_NUL] = { "nul", 550, "5.6.0",
	    "Message contains a NUL byte" },
	[SMTPD_REPLY_LONG_LINE] = { "long_line", 554, "5.6.0",
	    "Message contains a line that is too long (limit {} octets)" },
	[SMTPD_REPLY_LOOP] = { "loop", 554, "5.4.6",
	    "Mail loop detected: too many Received fields (limit {})" },

	/* The connection, and the server. */
	[SMTPD_REPLY_TOO_MANY_CONNECTIONS] = { "too_many_connections", 421,
	    "4.3.2", "Too many connections, try again later" },
	[SMTPD_REPLY_TOO_MANY_FROM_PEER] = { "too_many_from_peer", 421, "4.7.0",
	    "Too many connections from your network" },
	[SMTPD_REPLY_TOO_FAST_FROM_PEER] = { "too_fast_from_peer", 421, "4.7.0",
	    "Too many new connections from your network, try again later" },
	[SMTPD_REPLY_TOO_BUSY] = { "too_busy", 421, "4.3.2",
	    "Too busy, try again later" },
	[SMTPD_REPLY_TOO_MANY_MESSAGES] = { "too_many_messages", 421, "4.7.0",
	    "Too many messages in this session (limit {}), reconnect" },
	[SMTPD_REPLY_TOO_MANY_ERRORS] = { "too_many_errors", 421, "4.7.0",
	    "Too many errors, closing connection" },
	[SMTPD_REPLY_TIMEOUT] = { "timeout", 421, "4.4.2",
	    "Timeout, closing connection" },
	[SMTPD_REPLY_SHUTTING_DOWN] = { "shutting_down", 421, "4.3.2",
	    "Server is shutting down, try again later" },
	[SMTPD_REPLY_LOCAL_ERROR] = { "local_error", 451, "4.3.0",
	    "Local error, try again later" },
};

void
smtpd__replies_init(struct smtpd_replies *r)
{
	memcpy(r->list, table, sizeof(table));
}

/* Free the text of reply I, if it was set. */
static void
free_text(struct smtpd_replies *r, size_t i)
{
	if (r->list[i].text != table[i].text)
		free((char *)(uintptr_t)r->list[i].text);
}

void
smtpd__replies_finish(struct smtpd_replies *r)
{
	for (size_t i = 0; i < SMTPD_REPLY_NONE; i++)
		free_text(r, i);
}

/* Whether TEXT may stand for the text of reply I. */
static bool
is_text_for(const char *text, size_t i)
{
	size_t len = strlen(text);
	const char *first = strstr(text, hole);

	if (len == 0 || len > SMTPD_REPLIES_TEXT_MAX)
		return false;
	for (size_t at = 0; at < len; at++) {
		if (text[at] < ' ' || text[at] > '~')
			return false;
	}
	return first == NULL ||
	    (strstr(table[i].text, hole) != NULL &&
		strstr(first + 1, hole) == NULL);
}

int
smtpd__replies_set(struct smtpd_replies *r, const char *name, const char *text)
{
	char *copy;
	size_t i = 0;

	while (i < SMTPD_REPLY_NONE && strcmp(table[i].name, name) != 0)
		i++;
	if (i == SMTPD_REPLY_NONE || !is_text_for(text, i)) {
		errno = EINVAL;
		return -1;
	}
	copy = strdup(text);
	if (copy == NULL)
		return -1;
	free_text(r, i);
	r->list[i].text = copy;
	return 0;
}

void
smtpd__replies_write(const struct smtpd_replies *r, enum smtpd_reply_key key,
    const char *argument, struct smtpd_reply *out)
{
	const struct smtpd_reply_text *reply = &r->list[key];
	const char *at = strstr(reply->text, hole);
	struct smtpd_text t;

	out->code = reply->code;
	smtpd__text_init(&t, out->enhanced, sizeof(out->enhanced));
	smtpd__text_add(&t, reply->enhanced);
	smtpd__text_init(&t, out->text, sizeof(out->text));
	if (at == NULL) {
		smtpd__text_add(&t, reply->text);
		return;
	}
	smtpd__text_bytes(&t, reply->text, (size_t)(at - reply->text));
	smtpd__text_add(&t, argument != NULL ? argument : "");
	smtpd__text_add(&t, at + strlen(hole));
}
