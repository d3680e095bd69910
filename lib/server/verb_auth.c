/* SPDX-License-Identifier: MIT */
#include "server/verb_auth.h"

#include <stdlib.h>
#include <string.h>

#include "server/answer.h"
#include "server/auth_mechanisms.h"
#include "server/gate.h"
#include "server/handlers.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX

/* The longest argument, so that its line is none too long: a server may take
 * longer ones of other verbs. */
#define ARGUMENT_MAX (SMTPD_AUTH_LINE_MAX - (sizeof("AUTH \r\n") - 1))

/* So many failures of a session have a line of the log. */
#define FAILURES_LOGGED 10

/* Room for a name in a line of the log. */
#define NAME_SIZE (4 * SMTPD_SASL_NAME_SIZE)

/* auth-command = "AUTH" SP sasl-mech [SP initial-response]: the mechanism in
 * upper case into NAME; *INITIAL is NULL without a response.  Return 0 or
 * -1. */
static int
read_argument(const struct smtpd_command_line *line,
    char name[SMTPD_MECHANISM_MAX + 1], const char **initial)
{
	const char *argument = line->argument;
	size_t len = strcspn(argument, " \t");
	const char *rest = argument + len + strspn(argument + len, " \t");

	if (len == 0 || len > SMTPD_MECHANISM_MAX)
		return -1;
	for (size_t i = 0; i < len; i++)
		name[i] =
		    (char)smtpd__text_to_upper((unsigned char)argument[i]);
	name[len] = '\0';
	*initial = *rest != '\0' ? rest : NULL;
	return strpbrk(rest, " \t") == NULL ? 0 : -1;
}

/* Whether a handler, or a mechanism of the library, found that the client is
 * who it says it is. */
static bool
is_proved(struct smtpd_session *s, const struct smtpd_verb *verb)
{
	struct smtpd_auth_exchange *x = s->auth;
	const struct smtpd_command command = {
		.verb = verb->name,
		.argument = x->argument,
	};

	if (!smtpd__handlers_allow(s, verb, &command, 2) || x->failed)
		return false;
	if (s->ws->reply.code == 0) {
		/* A handler that left it to the library has said nobody. */
		free(x->user);
		x->user = NULL;
		return smtpd__auth_mechanisms_run(s) && !x->failed;
	}
	/* A handler that said 235 need not have said who it is. */
	if (x->user == NULL)
		x->user = strdup("");
	if (x->user != NULL)
		return true;
	smtpd__auth_exchange_fail(s, SMTPD_REPLY_AUTH_UNAVAILABLE);
	return false;
}

/* The session is the user's from now on. */
static void
accept_user(struct smtpd_session *s)
{
	struct smtpd_auth_exchange *x = s->auth;
	char name[NAME_SIZE];

	s->user = x->user;
	x->user = NULL;
	memcpy(s->mechanism, x->mechanism, sizeof(s->mechanism));
	smtpd__session_count(s, SMTPD_COUNTER_AUTHENTICATED);
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "authenticated session=%llu peer=%s mechanism=%s user=%s",
	    (unsigned long long)s->id, s->peer_text, x->mechanism,
	    smtpd__text_value(s->user, name, sizeof(name)));
	smtpd__answer_say(s, SMTPD_REPLY_AUTHENTICATED, NULL);
}

/* Log who failed to prove who it is: operators look for those who forgot a
 * password, and for those who guess.  What else was said is never logged. */
static void
log_failure(const struct smtpd_session *s)
{
	const struct smtpd_auth_exchange *x = s->auth;
	int code = x->failed ? x->reply.code : s->ws->reply.code;
	char name[NAME_SIZE];

	if (code != 535 || s->auth_failures >= FAILURES_LOGGED)
		return;
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "auth_failed session=%llu peer=%s mechanism=%s user=%s",
	    (unsigned long long)s->id, s->peer_text, x->mechanism,
	    smtpd__text_value(x->claimed, name, sizeof(name)));
}

/* A password that was wrong, shown at SHOWN_MS, costs time, at last the
 * session, and then others of that address. */
static void
delay_failure(struct smtpd_session *s, uint64_t shown_ms)
{
	const struct smtpd_settings *settings = &s->config->settings;

	if (s->ws->reply.code != 535)
		return;
	s->auth_failures++;
	smtpd__gate_count_auth_failure(s->config->server, &s->peer);
	if (settings->max_auth_failures != SMTPD_NO_LIMIT &&
	    s->auth_failures >= settings->max_auth_failures)
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_ABUSE,
		    SMTPD_REPLY_TOO_MANY_AUTH_FAILURES, NULL);
	smtpd__auth_exchange_delay(s, shown_ms);
}

static void
run_exchange(struct smtpd_session *s, const struct smtpd_verb *verb)
{
	uint64_t shown_ms;

	if (is_proved(s, verb)) {
		accept_user(s);
		smtpd__auth_exchange_end(s);
		return;
	}
	log_failure(s);
	shown_ms = s->auth->last_read_ms;
	smtpd__auth_exchange_end(s);
	if (s->ws->reply.code == 0 && !s->closing)
		smtpd__answer_refuse(
		    s, SMTPD_COUNTER_NONE, SMTPD_REPLY_UNKNOWN_MECHANISM, NULL);
	smtpd__session_count(s, SMTPD_COUNTER_REFUSED_AUTH);
	delay_failure(s, shown_ms);
}

void
smtpd__verb_auth(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	char name[SMTPD_MECHANISM_MAX + 1];
	const char *initial;
	enum smtpd_reply_key refusal;

	if (!smtpd__auth_offer_exists(s) && verb->nhandlers == 0) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_NOT_IMPLEMENTED, verb->name);
		return;
	}
	if (line->len > ARGUMENT_MAX) {
		smtpd__answer_refuse_limit(
		    s, SYNTAX, SMTPD_REPLY_AUTH_TOO_LONG, SMTPD_AUTH_LINE_MAX);
		return;
	}
	if (read_argument(line, name, &initial) == -1) {
		smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_AUTH_SYNTAX, NULL);
		return;
	}
	refusal = smtpd__auth_offer_refusal(s, name);
	if (refusal == SMTPD_REPLY_NONE &&
	    !smtpd__gate_admit_auth(s->config->server, &s->peer))
		refusal = SMTPD_REPLY_AUTH_TOO_FAST;
	if (refusal != SMTPD_REPLY_NONE) {
		smtpd__answer_refuse(
		    s, SMTPD_COUNTER_REFUSED_AUTH, refusal, NULL);
		return;
	}
	if (smtpd__auth_exchange_begin(s, line, name, initial) == NULL) {
		smtpd__answer_refuse(s, SMTPD_COUNTER_ERRORS,
		    SMTPD_REPLY_AUTH_UNAVAILABLE, NULL);
		return;
	}
	run_exchange(s, verb);
}
