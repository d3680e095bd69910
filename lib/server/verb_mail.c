/* SPDX-License-Identifier: MIT */
#include "server/verb_mail.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_parse.h"
#include "grammar/dsn_param.h"
#include "grammar/param.h"
#include "grammar/xtext.h"
#include "server/answer.h"
#include "server/auth_offer.h"
#include "server/gate.h"
#include "server/handlers.h"
#include "server/transaction.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX
#define ERRORS SMTPD_COUNTER_ERRORS

/* Characters of AUTH=, decoded: the line of MAIL may be longer by them (RFC
 * 4954, 3). */
#define AUTH_VALUE_MAX 500

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

/* SIZE= (RFC 1870, 6.1): the declared size is refused as the message would
 * be. */
static bool
accept_size(struct smtpd_session *s, const char *value)
{
	uint64_t limit = s->config->settings.max_message_size;
	uint64_t size;

	if (value == NULL || smtpd__param_number(value, &size) == -1) {
		smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_SIZE, NULL);
		return false;
	}
	if (limit != SMTPD_NO_SIZE_LIMIT && size > limit) {
		smtpd__answer_refuse_limit(s, SMTPD_COUNTER_REFUSED_SIZE,
		    SMTPD_REPLY_MESSAGE_TOO_LARGE, limit);
		return false;
	}
	s->envelope.size = size;
	return true;
}

/* BODY= (RFC 6152, 3; RFC 3030, 3). */
static bool
accept_body(struct smtpd_session *s, const char *value)
{
	bool binary = (s->config->settings.flags & SMTPD_FLAG_BINARYMIME) != 0;

	if (value != NULL && smtpd__text_same(value, "7BIT")) {
		s->envelope.encoding = SMTPD_ENCODING_7BIT;
		return true;
	}
	if (value != NULL && smtpd__text_same(value, "8BITMIME")) {
		s->envelope.encoding = SMTPD_ENCODING_8BITMIME;
		return true;
	}
	if (value != NULL && binary && smtpd__text_same(value, "BINARYMIME")) {
		s->envelope.encoding = SMTPD_ENCODING_BINARYMIME;
		return true;
	}
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_BODY,
	    binary ? "7BIT, 8BITMIME or BINARYMIME" : "7BIT or 8BITMIME");
	return false;
}

/* SMTPUTF8 (RFC 6531, 3.4) */
static bool
accept_smtputf8(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (p->value != NULL) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_BAD_PARAM_VALUE, p->name);
		return false;
	}
	s->envelope.smtputf8 = true;
	return true;
}

/* Whether this server sends reports, and P, ONE or OTHER, is about them. */
static bool
is_dsn(const struct smtpd_session *s, const struct smtpd_param *p,
    const char *one, const char *other)
{
	return (s->config->settings.flags & SMTPD_FLAG_DSN) != 0 &&
	    (strcmp(p->name, one) == 0 || strcmp(p->name, other) == 0);
}

/* RET= and ENVID=, NOTIFY= and ORCPT= (RFC 3461, 4). */
static bool
accept_dsn(struct smtpd_session *s, const struct smtpd_param *p)
{
	bool utf8 = (s->config->settings.flags & SMTPD_FLAG_SMTPUTF8) != 0;

	if (smtpd__dsn_param_is_valid(p->name, p->value) &&
	    (utf8 || smtpd__text_is_ascii(p->value, strlen(p->value))))
		return true;
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_BAD_PARAM_VALUE, p->name);
	return false;
}

/* Read the decoded value of AUTH=, TEXT of LEN bytes, a mailbox or "<>". */
static enum smtpd_path_fault
parse_submitter(struct smtpd_session *s, const char *text, size_t len,
    struct smtpd_address *out)
{
	static const struct smtpd_path_rules rules = {
		.kind = SMTPD_PATH_REVERSE, .bare = true
	};
	size_t used;
	enum smtpd_path_fault fault;

	if ((text[0] == '<' || text[0] == '@') && strcmp(text, "<>") != 0)
		return SMTPD_PATH_SYNTAX;
	fault =
	    smtpd__address_parse_path(text, len, &rules, &s->arena, out, &used);
	return fault == SMTPD_PATH_OK && used < len ? SMTPD_PATH_SYNTAX : fault;
}

/* AUTH= (RFC 4954, 5): nobody believes a client that has not authenticated. */
static bool
accept_submitter(struct smtpd_session *s, const struct smtpd_param *p)
{
	static const struct smtpd_address nobody = { "", "", "", false };
	char text[AUTH_VALUE_MAX + 1];
	struct smtpd_address *submitter =
	    smtpd__arena_alloc(&s->arena, sizeof(*submitter));
	int len = p->value == NULL ? -1
				   : smtpd__xtext_decode(p->value,
					 strlen(p->value), text, sizeof(text));
	enum smtpd_path_fault fault = SMTPD_PATH_SYNTAX;

	if (submitter == NULL) {
		refuse_memory(s);
		return false;
	}
	if (len != -1)
		fault = parse_submitter(s, text, (size_t)len, submitter);
	if (fault == SMTPD_PATH_NO_MEMORY) {
		refuse_memory(s);
		return false;
	}
	if (fault != SMTPD_PATH_OK) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_BAD_PARAM_VALUE, p->name);
		return false;
	}
	s->envelope.submitter = s->user != NULL ? submitter : &nobody;
	return true;
}

/* A parameter that the library does not know may be one of the program's, in
 * NAMES (RFC 5321, 4.1.1.11). */
static bool
accept_registered(struct smtpd_session *s, const struct smtpd_names *names,
    const struct smtpd_param *p)
{
	if (smtpd__names_have(names, p->name))
		return true;
	smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_UNKNOWN_PARAM, p->name);
	return false;
}

static bool
accept_mail_param(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (strcmp(p->name, "SIZE") == 0)
		return accept_size(s, p->value);
	if (strcmp(p->name, "BODY") == 0)
		return accept_body(s, p->value);
	if (strcmp(p->name, "AUTH") == 0 && smtpd__auth_offer_exists(s))
		return accept_submitter(s, p);
	if (is_dsn(s, p, "RET", "ENVID"))
		return accept_dsn(s, p);
	if (strcmp(p->name, "SMTPUTF8") == 0 &&
	    (s->config->settings.flags & SMTPD_FLAG_SMTPUTF8) != 0)
		return accept_smtputf8(s, p);
	return accept_registered(s, &s->config->mail_params, p);
}

static bool
accept_rcpt_param(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (is_dsn(s, p, "NOTIFY", "ORCPT"))
		return accept_dsn(s, p);
	return accept_registered(s, &s->config->rcpt_params, p);
}

/* Whether C has no characters outside ASCII where SMTPUTF8 must allow them
 * (RFC 6531, 3.5); ORCPT may have them in any case (RFC 6533, 3). */
static bool
is_ascii_command(const struct smtpd_command *c)
{
	const char *text = c->address->text;

	for (size_t i = 0; i < smtpd_params_count(c->params); i++) {
		const struct smtpd_param *p = smtpd_params_get(c->params, i);

		if (p->value != NULL && strcmp(p->name, "ORCPT") != 0 &&
		    !smtpd__text_is_ascii(p->value, strlen(p->value)))
			return false;
	}
	return smtpd__text_is_ascii(text, strlen(text));
}

/* Whether ACCEPT takes each parameter of C, and the transaction its
 * characters. */
static bool
accept_params(struct smtpd_session *s, const struct smtpd_command *c,
    bool (*accept)(struct smtpd_session *, const struct smtpd_param *))
{
	size_t count = smtpd_params_count(c->params);

	for (size_t i = 0; i < count; i++) {
		if (!accept(s, smtpd_params_get(c->params, i)))
			return false;
	}
	if (s->envelope.smtputf8 || is_ascii_command(c))
		return true;
	smtpd__answer_refuse_non_ascii(s, SMTPD_REPLY_ADDRESS_NEEDS_SMTPUTF8);
	return false;
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
	if (!accept_params(s, &c, accept_mail_param))
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
	if (verb->nhandlers == 0)
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
	    !accept_params(s, &c, accept_rcpt_param) || !is_slow_enough(s) ||
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
