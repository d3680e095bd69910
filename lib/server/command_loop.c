/* SPDX-License-Identifier: MIT */
/*
 * The command loop.  Between two commands nothing lives on the stack but the
 * loop itself: all state is in the session.
 */
#include "server/command_loop.h"

#include "grammar/command.h"

/* So many commands that do nothing are free (see errors_soft). */
#define IDLE_COMMANDS_FREE 100

/* The longest delay of a refusal, in units of tarpit_ms. */
#define TARPIT_MAX 4

#define SYNTAX   SMTPD_COUNT(refused_syntax)
#define PROTOCOL SMTPD_COUNT(refused_protocol)

static void
log_refusal(const struct smtpd_session *s, const char *command)
{
	const struct smtpd_reply *r = &s->ws->reply;

	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "refused session=%llu peer=%s helo=%s command=%s code=%d "
	    "status=%s reason=\"%s\"",
	    (unsigned long long)s->id, s->peer_text, s->helo, command, r->code,
	    r->enhanced, r->text);
}

/* Refuse and close: this client breaks a rule that honest ones keep. */
static void
cut_off(
    struct smtpd_session *s, int code, const char *enhanced, const char *text)
{
	smtpd__session_refuse(s, PROTOCOL, code, enhanced, "%s", text);
	smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
}

/* One more error: from some number on it costs time, at last the session. */
static void
punish(struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;
	uint32_t over;

	s->errors++;
	if (settings->errors_hard != SMTPD_NO_LIMIT &&
	    s->errors >= settings->errors_hard) {
		smtpd__session_refuse(s, SMTPD_COUNT(refused_abuse), 421,
		    "4.7.0", "too many errors");
		return;
	}
	if (settings->errors_soft == SMTPD_NO_LIMIT ||
	    s->errors < settings->errors_soft)
		return;
	over = s->errors - settings->errors_soft + 1;
	smtpd__stream_pause(&s->stream,
	    settings->tarpit_ms * (over < TARPIT_MAX ? over : TARPIT_MAX));
}

/* Send the reply that COMMAND got, if the session still has one. */
static void
conclude(struct smtpd_session *s, const char *command)
{
	if (s->ws->reply.code == 0)
		return;
	if (s->ws->reply.code >= 400)
		log_refusal(s, command);
	if (s->ws->reply.code >= 500 && !s->closing)
		punish(s);
	smtpd__session_answer(s);
}

/* What may follow a command depends on what the client was told. */
static bool
is_talking_too_early(
    const struct smtpd_session *s, const struct smtpd_verb *verb)
{
	size_t waiting;

	smtpd__stream_peek(&s->stream, &waiting);
	return waiting > 0 &&
	    (!s->esmtp || (verb->traits & SMTPD_TRAIT_LAST) != 0);
}

/* RFC 5321, 4.1.4 */
static const char *
what_comes_first(const struct smtpd_session *s, const struct smtpd_verb *verb)
{
	if (s->state == SMTPD_STATE_START)
		return "EHLO comes first";
	if ((verb->states & s->state) == 0 &&
	    (verb->states & SMTPD_STATE_HELLO) != 0)
		return "a transaction is open, end it or say RSET";
	return "MAIL comes first";
}

/* One command in the right form: is its place right, and then do it. */
static void
run_command(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (is_talking_too_early(s, verb)) {
		cut_off(s, 554, "5.5.0", "commands may not be pipelined here");
		return;
	}
	if ((verb->states & s->state) == 0) {
		smtpd__session_refuse(
		    s, SYNTAX, 503, "5.5.1", "%s", what_comes_first(s, verb));
		return;
	}
	if ((verb->traits & SMTPD_TRAIT_PLAIN) != 0 && line->len > 0) {
		smtpd__session_refuse(s, SYNTAX, 501, "5.5.4",
		    "%s takes no argument", verb->name);
		return;
	}
	verb->act(s, verb, line);
	if ((verb->traits & SMTPD_TRAIT_IDLE) != 0 && !s->closing &&
	    ++s->idle_commands > IDLE_COMMANDS_FREE && s->ws->reply.code < 500)
		punish(s);
}

/* One line, TEXT of LEN bytes, that ended properly. */
static void
run_line(struct smtpd_session *s, char *text, size_t len)
{
	struct smtpd_command_line line;
	const struct smtpd_verb *verb;

	if (s->state == SMTPD_STATE_START &&
	    smtpd__command_is_foreign(text, len)) {
		cut_off(s, 521, "5.7.0", "this is SMTP, nothing else");
		conclude(s, "-");
		return;
	}
	if (smtpd__command_parse(text, len, &line) == -1) {
		smtpd__session_refuse(
		    s, SYNTAX, 500, "5.5.2", "that is no command");
		conclude(s, "-");
		return;
	}
	text[(size_t)(line.argument - text) + line.len] = '\0';
	verb = smtpd__settings_verb(s->config, line.verb);
	if (verb == NULL)
		smtpd__session_refuse(
		    s, SYNTAX, 500, "5.5.2", "unknown command");
	else
		run_command(s, verb, &line);
	conclude(s, line.verb);
}

/* The stream ended: the last words, if anyone hears them. */
static void
end_stream(struct smtpd_session *s, enum smtpd_io_status status)
{
	enum smtpd_close why = SMTPD_CLOSE_GONE;

	switch (status) {
	case SMTPD_IO_TIMEOUT:
		smtpd__session_refuse(s, SMTPD_COUNT(timeouts), 421, "4.4.2",
		    "you took too long");
		why = SMTPD_CLOSE_TIMEOUT;
		break;
	case SMTPD_IO_INTERRUPTED:
		smtpd__session_say(s, 421, "4.3.2", "the server is stopping");
		why = SMTPD_CLOSE_DRAINED;
		break;
	case SMTPD_IO_FLOOD:
		smtpd__session_refuse(
		    s, SYNTAX, 421, "4.5.2", "that line has no end");
		why = SMTPD_CLOSE_REFUSED;
		break;
	case SMTPD_IO_TLS:
		smtpd__session_break_tls(s);
		return;
	case SMTPD_IO_ERROR:
		smtpd__session_count(s, SMTPD_COUNT(errors));
		why = SMTPD_CLOSE_ERROR;
		break;
	case SMTPD_IO_CLOSED:
	case SMTPD_IO_OK:
		break;
	}
	smtpd__session_close(s, why);
	conclude(s, "-");
}

/* Read one line and do what it says: all of the loop's work. */
static void
step(struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;
	enum smtpd_line_end end;
	enum smtpd_io_status status;
	char *text;
	size_t len;

	status = smtpd__stream_line(&s->stream, settings->max_command_line,
	    settings->command_timeout_ms, &text, &len, &end);
	if (status != SMTPD_IO_OK) {
		end_stream(s, status);
		return;
	}
	smtpd__session_count(s, SMTPD_COUNT(commands));
	if (end == SMTPD_LINE_END_BINARY) {
		cut_off(s, 521, "5.7.0", "this is SMTP, nothing else");
		conclude(s, "-");
		return;
	}
	if (end == SMTPD_LINE_END_TOO_LONG) {
		smtpd__session_refuse(s, SYNTAX, 500, "5.5.2",
		    "line longer than %u octets", settings->max_command_line);
		conclude(s, "-");
		return;
	}
	if (end == SMTPD_LINE_END_BARE_LF &&
	    (settings->flags & SMTPD_FLAG_BARE_LF_COMMANDS) == 0) {
		smtpd__session_refuse(
		    s, SYNTAX, 500, "5.5.2", "a line ends with CR and LF");
		conclude(s, "-");
		return;
	}
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_TRACE,
	    "session=%llu command=%s", (unsigned long long)s->id, text);
	run_line(s, text, len);
}

/*
 * Look at the client before it is greeted: whether the program wants it, and
 * whether it waits for its turn (RFC 5321, 3.1).
 */
static void
greet(struct smtpd_session *s)
{
	const struct smtpd_server_config *c = s->config;

	s->announced = true;
	if (c->events.connect != NULL &&
	    !smtpd__session_goes_on(
		s, c->events.connect(s, c->events.user), 2)) {
		smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
	} else if (smtpd__stream_talks(
		       &s->stream, c->settings.greet_delay_ms)) {
		cut_off(s, 521, "5.5.1", "wait for the greeting");
	} else {
		smtpd__session_say(s, 220, NULL, "%s ESMTP", c->hostname);
		/* No other code greets, without an enhanced one (RFC 2034, 3). */
		s->ws->reply.code = 220;
		s->ws->reply.enhanced[0] = '\0';
	}
	conclude(s, "-");
}

/* On a listener that begins with TLS nothing is said before it is up. */
static void
begin_tls(struct smtpd_session *s)
{
	struct smtpd_tls_conn *conn = NULL;

	if (s->tls != NULL)
		conn = smtpd__tls_conn_create(s->tls, &s->stream.wire);
	if (conn != NULL) {
		smtpd__session_start_tls(s, conn);
		return;
	}
	smtpd__session_refuse_tls(s, SMTPD_IO_ERROR, "none is available");
}

static void
say_goodbye(struct smtpd_session *s)
{
	if (s->why == SMTPD_CLOSE_QUIT)
		smtpd__stream_close(&s->stream);
	else if (s->why != SMTPD_CLOSE_GONE)
		smtpd__stream_linger(&s->stream);
	if (s->why == SMTPD_CLOSE_GONE)
		smtpd__session_count(s, SMTPD_COUNT(disconnects));
}

void
smtpd__command_loop_run(struct smtpd_session *s)
{
	const struct smtpd_events *events = &s->config->events;

	smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
	    "connect session=%llu peer=%s", (unsigned long long)s->id,
	    s->peer_text);
	if (s->tls_first)
		begin_tls(s);
	if (!s->closing)
		greet(s);
	while (!s->closing)
		step(s);
	smtpd__transaction_end(s, SMTPD_END_CLOSED, 0);
	say_goodbye(s);
	if (s->announced && events->disconnect != NULL)
		events->disconnect(s, s->why, events->user);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
	    "disconnect session=%llu peer=%s in=%llu out=%llu",
	    (unsigned long long)s->id, s->peer_text,
	    (unsigned long long)s->stream.wire.bytes_in,
	    (unsigned long long)s->stream.wire.bytes_out);
}
