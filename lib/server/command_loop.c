/* SPDX-License-Identifier: MIT */
/*
 * Between two commands nothing lives on the stack but the loop itself: all
 * state is in the session.
 */
#include "server/command_loop.h"

#include <string.h>

#include "base/text.h"
#include "grammar/command.h"
#include "server/answer.h"
#include "server/auth_offer.h"
#include "server/command_log.h"
#include "server/greeting.h"
#include "server/line_input.h"
#include "server/server_state.h"
#include "server/session_end.h"
#include "server/session_proxy.h"
#include "server/session_tls.h"
#include "server/transaction.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX

/* What may follow a command depends on what the client was told. */
static bool
is_talking_too_early(
    const struct smtpd_session *s, const struct smtpd_verb *verb)
{
	size_t waiting;

	smtpd__stream_peek(&s->stream, &waiting);
	return waiting > 0 && (verb->traits & SMTPD_TRAIT_OCTETS) == 0 &&
	    (!s->esmtp || (verb->traits & SMTPD_TRAIT_LAST) != 0);
}

/* The reply to a command in the wrong place (RFC 5321, 4.1.4). */
static enum smtpd_reply_key
reply_to_misplaced(const struct smtpd_session *s, const struct smtpd_verb *verb)
{
	if (s->state == SMTPD_STATE_START)
		return SMTPD_REPLY_HELLO_FIRST;
	if ((verb->states & SMTPD_STATE_HELLO) != 0)
		return SMTPD_REPLY_NESTED_MAIL;
	return SMTPD_REPLY_MAIL_FIRST;
}

/* Check that the command is allowed in this state, then run it. */
static void
run_command(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (is_talking_too_early(s, verb)) {
		smtpd__answer_cut_off(s, SMTPD_REPLY_NO_PIPELINING);
		return;
	}
	if ((verb->states & s->state) == 0) {
		smtpd__answer_refuse(s, SYNTAX, reply_to_misplaced(s, verb),
		    smtpd__session_hello(s));
		return;
	}
	if ((verb->traits & SMTPD_TRAIT_USERS) != 0 &&
	    smtpd__auth_offer_is_missing(s)) {
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_AUTH,
		    SMTPD_REPLY_AUTH_REQUIRED, NULL);
		return;
	}
	if ((verb->traits & SMTPD_TRAIT_PLAIN) != 0 && line->len > 0) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_NO_ARGUMENT, verb->name);
		return;
	}
	verb->act(s, verb, line);
	if ((verb->traits & SMTPD_TRAIT_IDLE) != 0 && !s->closing &&
	    smtpd__answer_is_idle(s) && s->ws->reply.code < 500)
		smtpd__answer_punish(s);
}

/* The octets that a line may have, where OCTETS are allowed at least. */
static uint32_t
line_limit(const struct smtpd_session *s, uint32_t octets)
{
	uint32_t max = s->config->settings.max_command_line;

	return octets > max ? octets : max;
}

/* The octets that the longest line may have here: that of AUTH is not read
 * where nobody may say it. */
static uint32_t
longest_line(const struct smtpd_session *s)
{
	const struct smtpd_verb_table *t = &s->config->verbs;
	bool auth = smtpd__auth_offer_refusal(s, NULL) == SMTPD_REPLY_NONE;

	return line_limit(
	    s, auth ? t->most_octets : t->most_octets_without_secret);
}

/* The verb called NAME, if the session has it, by its protocol (RFC 2033, 4.1)
 * and for its client. */
static const struct smtpd_verb *
find_verb(const struct smtpd_session *s, const char *name)
{
	const struct smtpd_verb *verb =
	    smtpd__verb_table_find(&s->config->verbs, name);
	unsigned absent = s->lmtp ? SMTPD_TRAIT_SMTP : SMTPD_TRAIT_LMTP;

	if (!s->may_tell)
		absent |= SMTPD_TRAIT_TELLS;
	return verb != NULL && (verb->traits & absent) != 0 ? NULL : verb;
}

/* Run one line, TEXT of LEN bytes, that ended properly. */
static void
run_line(struct smtpd_session *s, char *text, size_t len)
{
	struct smtpd_command_line line;
	const struct smtpd_verb *verb;
	uint32_t limit;

	if (s->state == SMTPD_STATE_START &&
	    smtpd__command_is_foreign(text, len)) {
		smtpd__answer_cut_off(s, SMTPD_REPLY_NOT_SMTP);
		smtpd__answer_finish(s, NULL);
		return;
	}
	if (smtpd__command_parse(text, len, &line) == -1) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_UNKNOWN_COMMAND, NULL);
		smtpd__answer_finish(s, NULL);
		return;
	}
	text[(size_t)(line.argument - text) + line.len] = '\0';
	verb = find_verb(s, line.verb);
	limit = line_limit(s, verb != NULL ? verb->octets : 0);
	if (len + 2 > limit)
		smtpd__answer_refuse_limit(
		    s, SYNTAX, SMTPD_REPLY_LINE_TOO_LONG, limit);
	else if (verb == NULL)
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_UNKNOWN_COMMAND, NULL);
	else
		run_command(s, verb, &line);
	smtpd__answer_finish(
	    s, verb == NULL && s->secrets_expected ? NULL : &line);
}

static bool
is_command(const struct smtpd_session *s, const char *text, size_t len)
{
	struct smtpd_command_line line;

	return smtpd__command_parse(text, len, &line) == 0 &&
	    find_verb(s, line.verb) != NULL;
}

/* Let S be parked while it waits, if ALLOWED: at once where many have a
 * thread. */
static void
allow_parking(struct smtpd_session *s, bool allowed)
{
	struct smtpd_wire *wire = &s->stream.wire;

	wire->parks = allowed && s->may_park;
	wire->hurries =
	    wire->parks && smtpd__pool_is_crowded(&s->config->server->pool);
}

/* Read one line and do what it says.  Return false when there is none for a
 * while. */
static bool
run_step(struct smtpd_session *s)
{
	bool takes_secret = false, may_be_secret = true;
	char *text;
	size_t len;
	int got;

	allow_parking(s, true);
	got = smtpd__line_input_read(
	    s, longest_line(s), SMTPD_REPLY_LINE_TOO_LONG, &text, &len);
	allow_parking(s, false);
	if (got == 1)
		return false;
	if (got == -1) {
		smtpd__answer_finish(s, NULL);
	} else {
		takes_secret = smtpd__command_log_takes_secret(s, text);
		s->secrets_expected = s->secrets_expected || takes_secret;
		may_be_secret =
		    s->secrets_expected && !is_command(s, text, len);
		smtpd__command_log_write(s, text, may_be_secret);
		run_line(s, text, len);
	}
	/* However it went, also with what it asked the client for. */
	if (takes_secret || may_be_secret)
		smtpd__stream_forget(&s->stream);
	return true;
}

void
smtpd__command_loop_begin(struct smtpd_session *s)
{
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
	    "connect session=%llu peer=%s", (unsigned long long)s->id,
	    s->peer_text);
	if (s->proxied)
		smtpd__session_proxy_begin(s);
	if (s->tls_first && !s->closing)
		smtpd__session_tls_begin(s);
	s->may_tell = smtpd__network_list_has(&s->config->xclients, &s->peer);
	if (!s->closing) {
		smtpd__greeting_say(s);
		smtpd__answer_finish(s, NULL);
	}
}

/* The session is over, but for a client that has to see the last reply: return
 * false if that is to be waited for. */
static bool
end_session(struct smtpd_session *s)
{
	smtpd__transaction_end(s, SMTPD_END_CLOSED, 0);
	allow_parking(s, true);
	if (!smtpd__session_end_goodbye(s))
		return false;
	if (s->announced)
		smtpd__events_disconnect(s);
	smtpd__answer_log_rest(s);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
	    "disconnect session=%llu peer=%s in=%llu out=%llu",
	    (unsigned long long)s->id, s->peer_text,
	    (unsigned long long)s->stream.wire.bytes_in,
	    (unsigned long long)s->stream.wire.bytes_out);
	return true;
}

bool
smtpd__command_loop_run(struct smtpd_session *s)
{
	while (!s->closing) {
		if (!run_step(s))
			return false;
		smtpd__session_end_check_output(s);
	}
	return end_session(s);
}

void
smtpd__command_loop_break_off(struct smtpd_session *s, enum smtpd_io_status why)
{
	/* It has had the last reply. */
	if (s->closing)
		return;
	s->silent = true;
	smtpd__session_end_lose(s, why);
	smtpd__answer_finish(s, NULL);
}
