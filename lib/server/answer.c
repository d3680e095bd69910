/* SPDX-License-Identifier: MIT */
#include "server/answer.h"

#include <smtpd/address.h>

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

/* Of values in a line of the log; what is longer is cut off there, so that the
 * line has room for all. */
#define VALUE_SIZE  256
#define REASON_SIZE 640

/* The longest delay of a refusal, in units of tarpit_ms. */
#define TARPIT_MAX 4

/* So many temporary refusals count as one error. */
#define PASSING_PER_ERROR 10

/* So many commands that do nothing are free (see errors_soft). */
#define IDLE_COMMANDS_FREE 100

/* So many refusals of a session have log lines of their own. */
#define REFUSALS_LOGGED 20

void
smtpd__answer_say(
    struct smtpd_session *s, enum smtpd_reply_key key, const char *argument)
{
	if (s->ws->reply.code == 0)
		smtpd__replies_write(
		    &s->config->replies, key, argument, &s->ws->reply);
}

void
smtpd__answer_refuse(struct smtpd_session *s, enum smtpd_counter counter,
    enum smtpd_reply_key key, const char *argument)
{
	smtpd__replies_write(&s->config->replies, key, argument, &s->ws->reply);
	smtpd__session_count(s, counter);
}

void
smtpd__answer_refuse_limit(struct smtpd_session *s, enum smtpd_counter counter,
    enum smtpd_reply_key key, uint64_t limit)
{
	char number[24];
	struct smtpd_text t;

	smtpd__text_init(&t, number, sizeof(number));
	smtpd__text_number(&t, limit);
	smtpd__answer_refuse(s, counter, key, number);
}

void
smtpd__answer_refuse_non_ascii(
    struct smtpd_session *s, enum smtpd_reply_key key)
{
	if ((s->config->settings.flags & SMTPD_FLAG_SMTPUTF8) == 0)
		key = SMTPD_REPLY_ADDRESS_NOT_ASCII;
	smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_SYNTAX, key, NULL);
}

void
smtpd__answer_cut_off(struct smtpd_session *s, enum smtpd_reply_key key)
{
	smtpd__answer_refuse(
	    s, SMTPD_COUNTER_REFUSED_PROTOCOL, key, s->lmtp ? "LMTP" : "SMTP");
	smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
}

int
smtpd__answer_mistake(
    struct smtpd_session *s, struct smtpd_reply *r, const char *format, ...)
{
	char what[VALUE_SIZE];
	struct smtpd_text t;
	va_list ap;

	smtpd__text_init(&t, what, sizeof(what));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
	va_end(ap);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_ERROR,
	    "session=%llu handler %s", (unsigned long long)s->id, what);
	smtpd__replies_write(
	    &s->config->replies, SMTPD_REPLY_LOCAL_ERROR, NULL, r);
	return r->code;
}

void
smtpd__answer_misplaced(const struct smtpd_session *s, const char *call)
{
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_ERROR,
	    "session=%llu %s() was called where nothing is to be answered",
	    (unsigned long long)s->id, call);
}

const char *
smtpd__answer_word(int code)
{
	static const char *const words[] = { [2] = "OK",
		[3] = "Go ahead",
		[4] = "Try again later",
		[5] = "Refused" };

	return words[code / 100];
}

/* Let CRLF be one end of a line in T, drop those at its end, and say something
 * where nothing is left. */
static void
tidy_text(struct smtpd_text *t, int code)
{
	size_t len = 0;

	for (size_t i = 0; i < t->len; i++)
		if (t->at[i] != '\r' || t->at[i + 1] != '\n')
			t->at[len++] = t->at[i];
	while (len > 0 && t->at[len - 1] == '\n')
		len--;
	t->len = len;
	t->at[len] = '\0';
	if (len == 0)
		smtpd__text_add(t, smtpd__answer_word(code));
}

int
smtpd__answer_write(struct smtpd_session *s, struct smtpd_reply *r, int code,
    const char *enhanced, const char *format, va_list ap)
{
	char value[VALUE_SIZE];
	struct smtpd_text t;

	if (!smtpd__reply_is_valid(code, NULL))
		return smtpd__answer_mistake(
		    s, r, "replied with code=%d, which does not exist", code);
	if (!smtpd__reply_is_valid(code, enhanced))
		return smtpd__answer_mistake(s, r,
		    "replied with code=%d, which does not go with status=%s",
		    code, smtpd__text_value(enhanced, value, sizeof(value)));
	if (format == NULL)
		return smtpd__answer_mistake(
		    s, r, "replied with code=%d and no text", code);
	r->code = code;
	smtpd__text_init(&t, r->enhanced, sizeof(r->enhanced));
	smtpd__text_add(&t, enhanced != NULL ? enhanced : "");
	smtpd__text_init(&t, r->text, SMTPD_REPLY_TEXT_MAX + 1);
	smtpd__text_vformat(&t, format, ap);
	tidy_text(&t, code);
	/* The transaction may be over when it is sent. */
	r->utf8 = r->utf8 || (s->open && s->envelope.smtputf8);
	return code;
}

int
smtpd_reply(struct smtpd_session *s, int code, const char *enhanced,
    const char *format, ...)
{
	va_list ap;

	if (!s->may_reply) {
		smtpd__answer_misplaced(s, "smtpd_reply");
		return 0;
	}
	va_start(ap, format);
	code =
	    smtpd__answer_write(s, &s->ws->reply, code, enhanced, format, ap);
	va_end(ap);
	return code;
}

bool
smtpd__answer_check(struct smtpd_session *s, int result, int good)
{
	struct smtpd_reply *r = &s->ws->reply;

	if (result == 0) {
		r->code = 0;
		return true;
	}
	if (result == SMTPD_LATER) {
		smtpd__answer_mistake(
		    s, r, "returned SMTPD_LATER, which is not supported yet");
		return false;
	}
	if (result != r->code) {
		smtpd__answer_mistake(s, r,
		    "returned %d, which is not the code it passed to "
		    "smtpd_reply()",
		    result);
		return false;
	}
	if (result < 400 && result / 100 != good) {
		smtpd__answer_mistake(s, r,
		    "returned %d, which is not a reply to this command",
		    result);
		return false;
	}
	return result < 400;
}

void
smtpd__answer_punish(struct smtpd_session *s)
{
	const struct smtpd_settings *settings = &s->config->settings;
	uint64_t over;

	s->errors++;
	if (settings->errors_hard != SMTPD_NO_LIMIT &&
	    s->errors >= settings->errors_hard) {
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_ABUSE,
		    SMTPD_REPLY_TOO_MANY_ERRORS, NULL);
		return;
	}
	if (settings->errors_soft == SMTPD_NO_LIMIT ||
	    s->errors < settings->errors_soft)
		return;
	over = (uint64_t)s->errors - settings->errors_soft + 1;
	over = over < TARPIT_MAX ? over : TARPIT_MAX;
	smtpd__stream_pause(&s->stream, settings->tarpit_ms * over);
}

bool
smtpd__answer_is_idle(struct smtpd_session *s)
{
	return ++s->idle_commands > IDLE_COMMANDS_FREE;
}

void
smtpd__answer_lead_with_name(struct smtpd_session *s)
{
	const char *name = s->config->hostname;
	struct smtpd_reply *r = &s->ws->reply;
	char text[SMTPD_REPLY_TEXT_MAX + 1];
	size_t len = strlen(name);
	struct smtpd_text t;

	if (strncmp(r->text, name, len) == 0 &&
	    (r->text[len] == '\0' || r->text[len] == ' ' ||
		r->text[len] == '\n'))
		return;
	memcpy(text, r->text, sizeof(text));
	smtpd__text_init(&t, r->text, sizeof(text));
	smtpd__text_format(&t, "%s %s", name, text);
}

static void
log_reply(const struct smtpd_session *s)
{
	const struct smtpd_reply *r = &s->ws->reply;
	char text[REASON_SIZE];

	if (!smtpd__logger_wants(&s->config->logger, SMTPD_LOG_TRACE))
		return;
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_TRACE,
	    "session=%llu reply=%d status=%s text=%s",
	    (unsigned long long)s->id, r->code, r->enhanced,
	    smtpd__text_quoted(r->text, text, sizeof(text)));
}

void
smtpd__answer_send(struct smtpd_session *s)
{
	struct smtpd_reply *r = &s->ws->reply;
	char *room = smtpd__stream_room(&s->stream, SMTPD_REPLY_WIRE_MAX);

	if (r->code == 421 && !s->closing)
		smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
	log_reply(s);
	r->utf8 = r->utf8 || (s->open && s->envelope.smtputf8);
	if (room != NULL)
		smtpd__stream_put(&s->stream,
		    smtpd__reply_write(r, room, SMTPD_REPLY_WIRE_MAX));
	r->code = 0;
	r->utf8 = false;
}

void
smtpd__answer_send_aside(
    struct smtpd_session *s, enum smtpd_reply_key key, const char *argument)
{
	struct smtpd_reply kept = s->ws->reply;

	s->ws->reply.code = 0;
	smtpd__answer_say(s, key, argument);
	smtpd__answer_send(s);
	s->ws->reply = kept;
}

/* Write the fields of a refusal that say whose mail it was: id, sender, the
 * argument of LINE if it has an address, and RCPT unless it is NULL. */
static const char *
mail_fields(const struct smtpd_session *s,
    const struct smtpd_command_line *line, const struct smtpd_rcpt *rcpt,
    char *buf, size_t size)
{
	char value[VALUE_SIZE];
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	if (s->open)
		smtpd__text_format(&t, " id=%s from=<%s>", s->envelope_id,
		    smtpd_address_escape(
			s->envelope.sender.text, value, sizeof(value)));
	if (line != NULL &&
	    (strcmp(line->verb, "MAIL") == 0 ||
		strcmp(line->verb, "RCPT") == 0))
		smtpd__text_format(&t, " argument=%s",
		    smtpd__text_quoted(line->argument, value, sizeof(value)));
	if (rcpt != NULL)
		smtpd__text_format(&t, " to=<%s>",
		    smtpd_address_escape(
			rcpt->address.text, value, sizeof(value)));
	return buf;
}

/* Log the reply that is set if it refuses, the command in LINE as a whole or
 * what it means for RCPT: the first refusals of a session have a line each. */
static void
log_refusal(struct smtpd_session *s, const struct smtpd_command_line *line,
    const struct smtpd_rcpt *rcpt)
{
	const struct smtpd_reply *r = &s->ws->reply;
	char helo[VALUE_SIZE], mail[2 * VALUE_SIZE + 32], reason[REASON_SIZE];

	if (r->code < 400 || s->refusals++ >= REFUSALS_LOGGED)
		return;
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "refused session=%llu peer=%s helo=<%s> command=%s%s code=%d "
	    "status=%s reason=%s",
	    (unsigned long long)s->id, s->peer_text,
	    smtpd_address_escape(s->helo, helo, sizeof(helo)),
	    line != NULL ? line->verb : "-",
	    mail_fields(s, line, rcpt, mail, sizeof(mail)), r->code,
	    r->enhanced, smtpd__text_quoted(r->text, reason, sizeof(reason)));
}

/* Whether the reply that is set makes one more error: a temporary refusal is a
 * part of one, whoever is to blame for it. */
static bool
is_error(struct smtpd_session *s)
{
	int code = s->ws->reply.code;

	if (code >= 500)
		return true;
	return code >= 400 && ++s->errors_passing % PASSING_PER_ERROR == 0;
}

void
smtpd__answer_finish(
    struct smtpd_session *s, const struct smtpd_command_line *line)
{
	if (s->ws->reply.code == 0)
		return;
	log_refusal(s, line, NULL);
	if (is_error(s) && !s->closing)
		smtpd__answer_punish(s);
	smtpd__answer_send(s);
}

void
smtpd__answer_finish_rcpt(struct smtpd_session *s,
    const struct smtpd_command_line *line, const struct smtpd_rcpt *rcpt)
{
	log_refusal(s, line, rcpt);
	smtpd__answer_send(s);
}

void
smtpd__answer_log_rest(const struct smtpd_session *s)
{
	if (s->refusals > REFUSALS_LOGGED)
		smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
		    "refused session=%llu peer=%s more=%lu",
		    (unsigned long long)s->id, s->peer_text,
		    (unsigned long)s->refusals - REFUSALS_LOGGED);
}
