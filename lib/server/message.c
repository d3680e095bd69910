/* SPDX-License-Identifier: MIT */
#include "server/message.h"

#include "os/clock.h"
#include "server/answer.h"
#include "server/body.h"
#include "server/filter_run.h"
#include "server/rcpt_reply.h"
#include "server/session_end.h"
#include "server/session_wait.h"
#include "server/transaction.h"

/* The message is at its end: its replies say what became of it. */
static void
end_message(struct smtpd_session *s, const struct smtpd_command_line *line)
{
	int code = smtpd__rcpt_reply_complete(s);
	bool delivered = code < 400;

	if (s->lmtp)
		smtpd__rcpt_reply_send(s, line);
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

/* The client was lost, or went on to something else: nothing is said to the
 * message. */
static void
end_without_message(struct smtpd_session *s, enum smtpd_io_status status)
{
	s->ws->reply.code = 0;
	smtpd__rcpt_reply_drop(s);
	if (status == SMTPD_IO_OK) {
		smtpd__transaction_end(s, SMTPD_END_RESET, 0);
		return;
	}
	smtpd__session_end_lose(s, status);
	smtpd__transaction_end(s, SMTPD_END_CLOSED, 0);
}

/* Whether filters have removed all recipients. */
static bool
is_for_nobody(const struct smtpd_session *s)
{
	for (size_t i = 0; i < s->envelope.nrcpts; i++)
		if (!s->rcpts.list[i].removed)
			return false;
	return true;
}

/* Let the program deliver BODY, and find the reply to it. */
static void
deliver_body(struct smtpd_session *s, struct smtpd_body *body)
{
	const struct smtpd_server_config *c = s->config;
	int result = 0;

	if (!is_for_nobody(s)) {
		s->body = body;
		s->may_reply = true;
		result = c->deliver(s, &s->envelope, body, c->deliver_user);
		s->may_reply = false;
		s->body = NULL;
	}
	if (smtpd__answer_check(s, result, 2))
		smtpd__answer_say(s, SMTPD_REPLY_DELIVERED, s->envelope.id);
}

/* Let reader I of R have the message: a filter, or behind them the delivery
 * callback.  Return false when the message has no end. */
static bool
read_message(struct smtpd_filter_run *r, size_t i)
{
	struct smtpd_session *s = r->s;
	const struct smtpd_filters *filters = &s->config->filters;
	struct smtpd_body body;
	bool whole;

	smtpd__body_init(&body, s, smtpd__filter_run_source(r, i));
	if (i < filters->count)
		smtpd__filter_run_show(r, &filters->list[i], &body);
	else
		deliver_body(s, &body);
	whole = smtpd__body_finish(
	    &body, body.unwanted || s->ws->reply.code >= 400);
	if (i == 0)
		s->envelope.octets = body.octets;
	if (whole && body.fault != SMTPD_BODY_OK) {
		smtpd__rcpt_reply_drop(s);
		smtpd__body_refuse(&body);
	}
	smtpd__filter_run_check(r);
	return whole;
}

/* Let all have the message that SOURCE gives, until one has a reply.  Return
 * false when there is no end. */
static bool
read_by_all(struct smtpd_session *s, struct smtpd_body_source *source)
{
	struct smtpd_filter_run r;
	bool whole = true;

	smtpd__filter_run_begin(&r, s, source);
	for (size_t i = 0; whole && s->ws->reply.code == 0; i++) {
		whole = read_message(&r, i);
		if (r.discarded && whole && s->ws->reply.code == 0)
			smtpd__answer_say(
			    s, SMTPD_REPLY_DELIVERED, s->envelope.id);
	}
	smtpd__filter_run_finish(&r);
	return whole;
}

/* Judge how long the client has waited since the message came, which all have
 * read, and refuse it if that was too long. */
static void
judge_time(struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;
	uint64_t ms = s->ended_ms != 0 ? smtpd__clock_ms() - s->ended_ms : 0;

	if (ms >= smtpd__clock_span(settings->delivery_warning_ms)) {
		smtpd__session_count(s, SMTPD_COUNTER_SLOW_DELIVERIES);
		smtpd__logger_write(&s->config->logger, SMTPD_LOG_WARNING,
		    "slow delivery session=%llu id=%s ms=%llu",
		    (unsigned long long)s->id, s->envelope.id,
		    (unsigned long long)ms);
	}
	if (ms < smtpd__clock_span(settings->delivery_timeout_ms) ||
	    s->ws->reply.code >= 400)
		return;
	smtpd__rcpt_reply_drop(s);
	smtpd__answer_refuse(
	    s, SMTPD_COUNTER_NONE, SMTPD_REPLY_DELIVERY_LATE, NULL);
}

void
smtpd__message_receive(struct smtpd_session *s,
    const struct smtpd_command_line *line, struct smtpd_body_input *in,
    struct smtpd_body_source *source)
{
	s->phase = SMTPD_PHASE_MESSAGE;
	if (read_by_all(s, source)) {
		judge_time(s);
		end_message(s, line);
	} else {
		end_without_message(s, in->status);
	}
	smtpd__session_wait_forget_end(s);
	s->phase = SMTPD_PHASE_COMMAND;
}

void
smtpd__message_refuse(struct smtpd_session *s,
    const struct smtpd_command_line *line, struct smtpd_body_input *in,
    struct smtpd_body_source *source, enum smtpd_reply_key key)
{
	bool whole;

	s->phase = SMTPD_PHASE_MESSAGE;
	source->refused = true;
	whole = source->finish(source);
	if (whole && key != SMTPD_REPLY_NONE)
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_SYNTAX, key,
		    smtpd__session_hello(s));
	if (!whole)
		end_without_message(s, in->status);
	else if (s->open)
		end_message(s, line);
	s->phase = SMTPD_PHASE_COMMAND;
}
