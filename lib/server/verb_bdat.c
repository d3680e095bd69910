/* SPDX-License-Identifier: MIT */
#include "server/verb_bdat.h"

#include "server/answer.h"
#include "server/chunk_source.h"
#include "server/handlers.h"
#include "server/message.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX

/* Why S may bring no message now; SMTPD_REPLY_NONE: it may. */
static enum smtpd_reply_key
find_objection(const struct smtpd_session *s)
{
	if (s->state == SMTPD_STATE_START)
		return SMTPD_REPLY_HELLO_FIRST;
	/* HELO offers nothing. */
	if (!s->esmtp)
		return SMTPD_REPLY_UNKNOWN_COMMAND;
	if (s->state == SMTPD_STATE_HELLO)
		return SMTPD_REPLY_MAIL_FIRST;
	if (s->envelope.nrcpts > 0)
		return SMTPD_REPLY_NONE;
	return s->rcpts_refused > 0 && !s->lmtp
	    ? SMTPD_REPLY_NO_VALID_RECIPIENTS
	    : SMTPD_REPLY_RCPT_FIRST;
}

/*
 * Receive the message that begins with CHUNK.  One that is refused is read and
 * dropped, and its transaction is over: what follows in further chunks would be
 * a part of a message (RFC 3030, 2).
 */
static void
receive_chunks(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line, const struct smtpd_chunk *chunk)
{
	enum smtpd_reply_key objection = find_objection(s);
	struct smtpd_body_input in;
	struct smtpd_chunk_source chunks;

	smtpd__body_input_init(&in, s);
	smtpd__chunk_source_init(&chunks, &in, chunk);
	if (objection != SMTPD_REPLY_NONE ||
	    !smtpd__handlers_allow_line(s, verb, line)) {
		smtpd__message_refuse(s, line, &in, &chunks.source, objection);
		return;
	}
	s->ws->reply.code = 0;
	smtpd__message_receive(s, line, &in, &chunks.source);
}

/* bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF (RFC 3030, 2) */
void
smtpd__verb_bdat(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_chunk chunk;

	if ((s->config->settings.flags & SMTPD_FLAG_CHUNKING) == 0)
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_UNKNOWN_COMMAND, NULL);
	else if (smtpd__chunk_parse(line->argument, line->len, &chunk) == -1)
		/* Where the next command begins is not known. */
		smtpd__answer_cut_off(s, SMTPD_REPLY_BAD_CHUNK);
	else
		receive_chunks(s, verb, line, &chunk);
}
