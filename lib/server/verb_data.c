/* SPDX-License-Identifier: MIT */
#include "server/verb_data.h"

#include "server/answer.h"
#include "server/dot_source.h"
#include "server/handlers.h"
#include "server/message.h"

static void
receive_message(struct smtpd_session *s, const struct smtpd_command_line *line)
{
	struct smtpd_body_input in;
	struct smtpd_dot_source dot;

	smtpd__body_input_init(&in, s);
	smtpd__dot_source_init(&dot, &in, s->config->settings.max_text_line);
	smtpd__message_receive(s, line, &in, &dot.source);
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
	if (s->envelope.encoding == SMTPD_ENCODING_BINARYMIME) {
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_SYNTAX,
		    SMTPD_REPLY_BINARY_DATA, NULL);
		return;
	}
	if (!smtpd__handlers_allow(s, verb, &command, 3))
		return;
	smtpd__answer_say(s, SMTPD_REPLY_SEND_DATA, NULL);
	smtpd__answer_send(s);
	smtpd__stream_flush(&s->stream);
	receive_message(s, line);
}
