/* SPDX-License-Identifier: MIT */
#include "server/answer.h"

#include <stdarg.h>

#include "base/text.h"

/* Of a client's name and of a reply in a log line, both of which fit. */
#define HELO_SIZE   320
#define REASON_SIZE 640

/* The longest delay of a refusal, in units of tarpit_ms. */
#define TARPIT_MAX 4

/* So many temporary refusals count as one error. */
#define PASSING_PER_ERROR 10

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
smtpd__answer_cut_off(struct smtpd_session *s, enum smtpd_reply_key key)
{
	smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_PROTOCOL, key, NULL);
	smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
}

/* Tell the operator that the program made a mistake: WHAT, then NUMBER and
 * REST.  The client may try again later. */
static void
refuse_by_mistake(
    struct smtpd_session *s, const char *what, int number, const char *rest)
{
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_ERROR,
	    "session=%llu handler %s %d%s", (unsigned long long)s->id, what,
	    number, rest);
	s->ws->reply.code = 0;
	smtpd__answer_say(s, SMTPD_REPLY_LOCAL_ERROR, NULL);
}

int
smtpd_reply(struct smtpd_session *s, int code, const char *enhanced,
    const char *format, ...)
{
	struct smtpd_reply *r = &s->ws->reply;
	struct smtpd_text t;
	va_list ap;

	if (!s->may_reply) {
		smtpd__logger_write(&s->config->logger, SMTPD_LOG_ERROR,
		    "session=%llu smtpd_reply() was called where nothing is "
		    "to be answered",
		    (unsigned long long)s->id);
		return 0;
	}
	if (format == NULL || !smtpd__reply_is_valid(code, enhanced)) {
		refuse_by_mistake(s, "used invalid reply code", code, "");
		return r->code;
	}
	r->code = code;
	smtpd__text_init(&t, r->enhanced, sizeof(r->enhanced));
	smtpd__text_add(&t, enhanced != NULL ? enhanced : "");
	smtpd__text_init(&t, r->text, sizeof(r->text));
	va_start(ap, format);
	smtpd__text_vformat(&t, format, ap);
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
		refuse_by_mistake(s, "returned SMTPD_LATER,", SMTPD_LATER,
		    ", which is not supported yet");
		return false;
	}
	if (result != r->code) {
		refuse_by_mistake(s, "returned", result,
		    ", which is not the code it passed to smtpd_reply()");
		return false;
	}
	if (result < 400 && result / 100 != good) {
		refuse_by_mistake(s, "returned", result,
		    ", which is not a reply to this command");
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
	if (room != NULL)
		smtpd__stream_put(&s->stream,
		    smtpd__reply_write(r, room, SMTPD_REPLY_WIRE_MAX));
	r->code = 0;
}

/* The first refusals of a session have a line each. */
static void
log_refusal(const struct smtpd_session *s, const char *command)
{
	const struct smtpd_reply *r = &s->ws->reply;
	char helo[HELO_SIZE], reason[REASON_SIZE];

	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "refused session=%llu peer=%s helo=%s command=%s code=%d "
	    "status=%s reason=%s",
	    (unsigned long long)s->id, s->peer_text,
	    smtpd__text_value(s->helo, helo, sizeof(helo)), command, r->code,
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
smtpd__answer_finish(struct smtpd_session *s, const char *command)
{
	if (s->ws->reply.code == 0)
		return;
	if (s->ws->reply.code >= 400 && s->refusals++ < REFUSALS_LOGGED)
		log_refusal(s, command);
	if (is_error(s) && !s->closing)
		smtpd__answer_punish(s);
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
