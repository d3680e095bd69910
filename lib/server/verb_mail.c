/* SPDX-License-Identifier: MIT */
#include "server/verb_mail.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_parse.h"
#include "grammar/param.h"
#include "server/answer.h"
#include "server/gate.h"
#include "server/handlers.h"
#include "server/mail_params.h"
#include "server/transaction.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX
#define ERRORS SMTPD_COUNTER_ERRORS

/* How MAIL and RCPT differ in their argument. */
struct path_rule {
	const char *prefix;
	enum smtpd_path_kind kind;
	enum smtpd_reply_key syntax; /* the replies to its faults */
	enum smtpd_reply_key too_long;
};

static const struct path_rule sender_rule = {
	.prefix = "FROM:",
	.kind = SMTPD_PATH_REVERSE,
	.syntax = SMTPD_REPLY_BAD_SENDER,
	.too_long = SMTPD_REPLY_SENDER_TOO_LONG,
};

static const struct path_rule rcpt_rule = {
	.prefix = "TO:",
	.kind = SMTPD_PATH_FORWARD,
	.syntax = SMTPD_REPLY_BAD_RECIPIENT,
	.too_long = SMTPD_REPLY_RECIPIENT_TOO_LONG,
};

/* Take PREFIX off the front of *S; whether it was there. */
static bool
take_prefix(const char **s, size_t *len, const char *prefix)
{
	size_t n = strlen(prefix);

	if (*len < n || !smtpd__text_same_bytes(*s, prefix, n))
		return false;
	*s += n;
	*len -= n;
	/* Not in the grammar, but in the world. */
	while (*len > 0 && **s == ' ') {
		*s += 1;
		*len -= 1;
	}
	return true;
}

static void
refuse_memory(struct smtpd_session *s)
{
	smtpd__answer_refuse(s, ERRORS, SMTPD_REPLY_NO_MEMORY, NULL);
}

/* Refuse a path of RULE that has FAULT; false if it has none. */
static bool
refuse_path(struct smtpd_session *s, const struct path_rule *rule,
    enum smtpd_path_fault fault)
{
	switch (fault) {
	case SMTPD_PATH_OK:
		return false;
	case SMTPD_PATH_SYNTAX:
		smtpd__answer_refuse(s, SYNTAX, rule->syntax, NULL);
		break;
	case SMTPD_PATH_UTF8:
		smtpd__answer_refuse_non_ascii(s, SMTPD_REPLY_ADDRESS_BAD_UTF8);
		break;
	case SMTPD_PATH_TOO_LONG:
		smtpd__answer_refuse(s, SYNTAX, rule->too_long, NULL);
		break;
	case SMTPD_PATH_NO_MEMORY:
		refuse_memory(s);
		break;
	}
	return true;
}

/* Refuse parameters that have FAULT; false if they have none. */
static bool
refuse_params(struct smtpd_session *s, enum smtpd_param_fault fault)
{
	switch (fault) {
	case SMTPD_PARAM_OK:
		return false;
	case SMTPD_PARAM_SYNTAX:
		smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_PARAM, NULL);
		break;
	case SMTPD_PARAM_DUPLICATE:
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_REPEATED_PARAM, NULL);
		break;
	case SMTPD_PARAM_TOO_MANY:
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_TOO_MANY_PARAMS, NULL);
		break;
	case SMTPD_PARAM_NO_MEMORY:
		refuse_memory(s);
		break;
	}
	return true;
}

/* The path of LINE by RULE: into *ADDRESS, and its end into *USED. */
static enum smtpd_path_fault
parse_path(struct smtpd_session *s, const struct path_rule *rule,
    const char *at, size_t len, struct smtpd_address *address, size_t *used)
{
	const struct smtpd_settings *settings = &s->config->settings;
	const struct smtpd_path_rules rules = {
		.kind = rule->kind,
		.bare = (settings->flags & SMTPD_FLAG_BARE_ADDRESSES) != 0,
		.domain = settings->default_domain,
	};
	enum smtpd_path_fault fault = smtpd__address_parse_path(
	    at, len, &rules, &s->arena, address, used);

	if (fault == SMTPD_PATH_OK && *used < len && at[*used] != ' ')
		return SMTPD_PATH_SYNTAX;
	return fault;
}

/*
 * Read the argument of LINE, a path by RULE and parameters, into C and
 * ADDRESS; the texts are the transaction's.  Refuse anything else.
 */
static bool
parse_argument(struct smtpd_session *s, const struct path_rule *rule,
    const struct smtpd_command_line *line, struct smtpd_address *address,
    struct smtpd_command *c)
{
	const char *at = line->argument;
	size_t len = line->len, used = 0;
	enum smtpd_path_fault fault = SMTPD_PATH_SYNTAX;

	if (take_prefix(&at, &len, rule->prefix))
		fault = parse_path(s, rule, at, len, address, &used);
	if (refuse_path(s, rule, fault))
		return false;
	if (refuse_params(s,
		smtpd__param_parse_all(
		    at + used, len - used, &s->arena, &c->params)))
		return false;
	c->argument = line->argument;
	c->address = address;
	return true;
}

/* Whether the session may have one more transaction; else it is closed. */
static bool
has_transactions_left(struct smtpd_session *s)
{
	uint32_t max = s->config->settings.max_transactions;

	if (max == SMTPD_NO_LIMIT || s->transactions < max)
		return true;
	smtpd__answer_refuse_limit(
	    s, SMTPD_COUNTER_REFUSED_ABUSE, SMTPD_REPLY_TOO_MANY_MESSAGES, max);
	return false;
}

/* The steps of MAIL between opening the transaction and accepting it. */
static bool
accept_sender(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_command c = { .verb = verb->name };

	if (!parse_argument(s, &sender_rule, line, &s->envelope.sender, &c))
		return false;
	s->envelope.params = c.params;
	if (!smtpd__mail_params_accept(s, &c))
		return false;
	if (smtpd__handlers_allow(s, verb, &c, 2))
		return true;
	smtpd__session_count(s, SMTPD_COUNTER_REFUSED_SENDERS);
	return false;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
 * (RFC 5321, 4.1.1.2) */
void
smtpd__verb_mail_mail(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!has_transactions_left(s))
		return;
	smtpd__transaction_open(s);
	if (!accept_sender(s, verb, line)) {
		smtpd__transaction_end(s, SMTPD_END_CLOSED, 0);
		return;
	}
	s->state = SMTPD_STATE_MAIL;
	s->transactions++;
	smtpd__answer_say(s, SMTPD_REPLY_SENDER_OK, NULL);
}

bool
smtpd__verb_mail_set_sender(
    struct smtpd_session *s, const struct smtpd_command_line *line)
{
	struct smtpd_address sender;
	size_t used = 0;
	enum smtpd_path_fault fault = parse_path(s, &sender_rule,
	    line->argument + strlen(sender_rule.prefix),
	    line->len - strlen(sender_rule.prefix), &sender, &used);

	if (fault != SMTPD_PATH_OK ||
	    used != line->len - strlen(sender_rule.prefix))
		return false;
	s->envelope.sender = sender;
	return true;
}

/* RFC 5321, 4.5.3.1.10 */
static bool
has_rcpts_left(struct smtpd_session *s)
{
	uint32_t max = s->config->settings.max_recipients;

	if (max == SMTPD_NO_LIMIT || s->envelope.nrcpts < max)
		return true;
	smtpd__answer_refuse_limit(s, SMTPD_COUNTER_REFUSED_RECIPIENTS,
	    SMTPD_REPLY_TOO_MANY_RECIPIENTS, max);
	return false;
}

/* Whether the client's rate has room for one recipient more, good or not. */
static bool
is_slow_enough(struct smtpd_session *s)
{
	if (smtpd__gate_admit_rcpt(s->config->server, &s->peer))
		return true;
	smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_RECIPIENTS,
	    SMTPD_REPLY_RECIPIENTS_TOO_FAST, NULL);
	return false;
}

/* Ask the handlers about C: without any no recipient is accepted. */
static bool
is_rcpt_allowed(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command *c)
{
	if (!verb->decided)
		smtpd__answer_say(s, SMTPD_REPLY_NO_RECIPIENTS, NULL);
	else if (smtpd__handlers_allow(s, verb, c, 2))
		return true;
	smtpd__session_count(s, SMTPD_COUNTER_REFUSED_RECIPIENTS);
	return false;
}

/* The steps of RCPT up to its acceptance. */
static bool
accept_rcpt(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_command c = { .verb = verb->name };
	struct smtpd_rcpt rcpt = { 0 };

	if (!has_rcpts_left(s) ||
	    !parse_argument(s, &rcpt_rule, line, &rcpt.address, &c) ||
	    !smtpd__mail_params_accept_rcpt(s, &c) || !is_slow_enough(s) ||
	    !is_rcpt_allowed(s, verb, &c))
		return false;
	rcpt.params = c.params;
	if (smtpd__transaction_add(s, &rcpt) == 0)
		return true;
	refuse_memory(s);
	return false;
}

/* rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF
 * (RFC 5321, 4.1.1.3) */
void
smtpd__verb_mail_rcpt(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	const struct smtpd_arena_mark before = smtpd__arena_mark(&s->arena);

	if (!accept_rcpt(s, verb, line)) {
		smtpd__arena_rewind(&s->arena, &before);
		s->rcpts_refused++;
		return;
	}
	s->state = SMTPD_STATE_RCPT;
	smtpd__session_count(s, SMTPD_COUNTER_RECIPIENTS);
	smtpd__answer_say(s, SMTPD_REPLY_RECIPIENT_OK, NULL);
}
