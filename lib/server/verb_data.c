/* SPDX-License-Identifier: MIT */
#include "server/verb_data.h"

#include "server/answer.h"
#include "server/body.h"
#include "server/dot_source.h"
#include "server/handlers.h"
#include "server/rcpt_reply.h"
#include "server/session_end.h"
#include "server/transaction.h"

/* The message is whole: CODE says what became of it. */
static void
end_message(struct smtpd_session *s, int code)
{
	bool delivered = code < 400;

	smtpd__session_count(s,
	    delivered ? SMTPD_COUNTER_MESSAGES
		      : SMTPD_COUNTER_MESSAGES_REFUSED);
	if (delivered) {
		s->errors = 0;
		s->errors_passing = 0;
		s->idle_commands = 0;
	}
	smtpd__transaction_end(
	    s, delivered ? SMTPD_END_DELIVERED : SMTPD_END_REFUSED, code);
}

/* Let the program deliver the message that SOURCE gives, and find the reply to
 * it.  Return false when the client was lost before its end. */
static bool
deliver_message(struct smtpd_session *s, struct smtpd_body_source *source)
{
	const struct smtpd_server_config *c = s->config;
	struct smtpd_body body;
	bool whole;
	int result;

	smtpd__body_init(&body, s, source);
	s->body = &body;
	s->may_reply = true;
	result = c->deliver(s, &s->envelope, &body, c->deliver_user);
	s->may_reply = false;
	s->body = NULL;
	if (smtpd__answer_check(s, result, 2))
		smtpd__answer_say(s, SMTPD_REPLY_DELIVERED, s->envelope.id);
	whole = smtpd__body_finish(&body);
	s->envelope.octets = body.octets;
	if (!whole)
		return false;
	if (body.fault != SMTPD_BODY_OK) {
		smtpd__rcpt_reply_drop(s);
		smtpd__body_refuse(&body);
	}
	return true;
}

static void
receive_message(struct smtpd_session *s, const struct smtpd_command_line *line)
{
	struct smtpd_body_input in;
	struct smtpd_dot_source dot;
	int code;

	s->phase = SMTPD_PHASE_MESSAGE;
	smtpd__body_input_init(&in, s);
	smtpd__dot_source_init(&dot, &in, s->config->settings.max_text_line);
	if (deliver_message(s, &dot.source)) {
		code = smtpd__rcpt_reply_complete(s);
		if (s->lmtp)
			smtpd__rcpt_reply_send(s, line);
		end_message(s, code);
	} else {
		smtpd__session_end_lose(s, in.status);
		smtpd__transaction_end(s, SMTPD_END_CLOSED, 0);
	}
	s->phase = SMTPD_PHASE_COMMAND;
}

/* The reply to DATA where no recipient was accepted: in LMTP it has always the
 * same code (RFC 2033, 4.2). */
static enum smtpd_reply_key
reply_without_rcpts(const struct smtpd_session *s)
{
	return s->rcpts_refused > 0 && !s->lmtp
	    ? SMTPD_REPLY_NO_VALID_RECIPIENTS
	    : SMTPD_REPLY_RCPT_FIRST;
}

/* data = "DATA" CRLF (RFC 5321, 4.1.1.4) */
void
smtpd__verb_data(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	const struct smtpd_command command = {
		.verb = verb->name,
		.argument = line->argument,
	};

	if (s->envelope.nrcpts == 0) {
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_SYNTAX,
		    reply_without_rcpts(s), NULL);
		return;
	}
	if (!smtpd__handlers_allow(s, verb, &command, 3))
		return;
	smtpd__answer_say(s, SMTPD_REPLY_SEND_DATA, NULL);
	smtpd__answer_send(s);
	smtpd__stream_flush(&s->stream);
	receive_message(s, line);
}
