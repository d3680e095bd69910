/* SPDX-License-Identifier: MIT */
#include "server/verbs.h"

#include <string.h>

#include "base/text.h"
#include "grammar/address_parse.h"
#include "grammar/dsn_param.h"
#include "grammar/param.h"
#include "server/body.h"
#include "server/session_state.h"

#define SYNTAX    SMTPD_COUNT(refused_syntax)
#define SENDER    SMTPD_COUNT(refused_senders)
#define RECIPIENT SMTPD_COUNT(refused_recipients)

/* Ask the caller's handler about C, if there is one: whether to go on, which
 * a reply of class GOOD means. */
static bool
is_allowed(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command *c, int good)
{
	if (verb->handler == NULL)
		return true;
	return smtpd__session_goes_on(s, verb->handler(s, c, verb->user), good);
}

/* The same for a command without an address. */
static bool
is_plain_allowed(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	const struct smtpd_command c = {
		.verb = verb->name,
		.argument = line->argument,
	};

	return is_allowed(s, verb, &c, 2);
}

/* ehlo-ok-rsp (RFC 5321, 4.1.1.1). */
static void
say_extensions(struct smtpd_session *s)
{
	const struct smtpd_server_config *c = s->config;
	char text[SMTPD_REPLY_TEXT_MAX + 1];
	struct smtpd_text t;

	smtpd__text_init(&t, text, sizeof(text));
	if (s->ws->reply.code != 0)
		smtpd__text_add(&t, s->ws->reply.text);
	else
		smtpd__text_format(&t, "%s", c->hostname);
	smtpd__text_add(&t, "\nPIPELINING\nSIZE");
	if (c->settings.max_message_size != SMTPD_NO_SIZE_LIMIT) {
		smtpd__text_byte(&t, ' ');
		smtpd__text_number(&t, c->settings.max_message_size);
	}
	smtpd__text_add(&t, "\n8BITMIME\nENHANCEDSTATUSCODES");
	if ((c->settings.flags & SMTPD_FLAG_DSN) != 0)
		smtpd__text_add(&t, "\nDSN");
	if (s->tls != NULL && s->stream.tls == NULL)
		smtpd__text_add(&t, "\nSTARTTLS");
	for (size_t i = 0; i < c->keywords.count; i++) {
		smtpd__text_byte(&t, '\n');
		smtpd__text_add(&t, c->keywords.names[i]);
	}
	s->ws->reply.code = 0;
	smtpd__session_say(s, 250, NULL, "%s", text);
}

/*
 * ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
 * It also resets, as RSET does (RFC 5321, 4.1.4).
 */
static bool
greet(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!smtpd__address_parse_helo(line->argument, line->len)) {
		smtpd__session_refuse(s, SYNTAX, 501, "5.5.4",
		    "%s needs the name of your host", verb->name);
		return false;
	}
	if (!is_plain_allowed(s, verb, line))
		return false;
	smtpd__session_forget(s);
	memcpy(s->helo, line->argument, line->len + 1);
	s->state = SMTPD_STATE_HELLO;
	return true;
}

static void
cmd_ehlo(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!greet(s, verb, line))
		return;
	s->esmtp = true;
	say_extensions(s);
}

static void
cmd_helo(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (greet(s, verb, line))
		smtpd__session_say(s, 250, NULL, "%s", s->config->hostname);
}

/*
 * STARTTLS (RFC 3207, 4): all that it takes is there before 220 is said.  Input
 * that came with it was refused as pipelined where it may not be.
 */
static void
cmd_starttls(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_tls_conn *conn = NULL;

	if (s->stream.tls != NULL) {
		smtpd__session_refuse(
		    s, SYNTAX, 503, "5.5.1", "TLS is on already");
		return;
	}
	if (!is_plain_allowed(s, verb, line))
		return;
	if (s->tls != NULL)
		conn = smtpd__tls_conn_create(s->tls, &s->stream.wire);
	if (conn == NULL) {
		smtpd__session_refuse(s, SMTPD_COUNT(refused_tls), 454, "4.7.0",
		    "TLS is not available");
		return;
	}
	smtpd__session_say(s, 220, "2.0.0", "go ahead with TLS");
	smtpd__session_answer(s);
	smtpd__session_start_tls(s, conn);
}

/* Take "FROM:" or "TO:" off the front of *S; whether it was there. */
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
refuse_path(struct smtpd_session *s, enum smtpd_path_fault fault,
    const char *enhanced, const char *prefix)
{
	switch (fault) {
	case SMTPD_PATH_UTF8:
		smtpd__session_refuse(s, SYNTAX, 553, "5.6.7",
		    "addresses outside ASCII are not supported");
		break;
	case SMTPD_PATH_TOO_LONG:
		smtpd__session_refuse(
		    s, SYNTAX, 501, enhanced, "address too long");
		break;
	case SMTPD_PATH_NO_MEMORY:
		smtpd__session_refuse(s, SMTPD_COUNT(errors), 452, "4.3.1",
		    "no memory for this address now");
		break;
	case SMTPD_PATH_SYNTAX:
	case SMTPD_PATH_OK:
		smtpd__session_refuse(s, SYNTAX, 501, enhanced,
		    "bad address, say %s<user@domain>", prefix);
		break;
	}
}

static void
refuse_params(struct smtpd_session *s, enum smtpd_param_fault fault)
{
	switch (fault) {
	case SMTPD_PARAM_DUPLICATE:
		smtpd__session_refuse(
		    s, SYNTAX, 501, "5.5.4", "parameter given twice");
		break;
	case SMTPD_PARAM_TOO_MANY:
		smtpd__session_refuse(
		    s, SYNTAX, 501, "5.5.4", "too many parameters");
		break;
	case SMTPD_PARAM_NO_MEMORY:
		smtpd__session_refuse(s, SMTPD_COUNT(errors), 452, "4.3.1",
		    "no memory for these parameters now");
		break;
	case SMTPD_PARAM_SYNTAX:
	case SMTPD_PARAM_OK:
		smtpd__session_refuse(s, SYNTAX, 501, "5.5.4", "bad parameter");
		break;
	}
}

/*
 * Read PREFIX, a path, and parameters into C; the texts are the
 * transaction's.  Refuse what is not so.
 */
static bool
parse_path_command(struct smtpd_session *s,
    const struct smtpd_command_line *line, const char *prefix,
    const char *enhanced, enum smtpd_path_kind kind,
    struct smtpd_address *address, struct smtpd_command *c)
{
	const char *at = line->argument;
	size_t len = line->len, used = 0;
	enum smtpd_path_fault path = SMTPD_PATH_SYNTAX;
	enum smtpd_param_fault param;

	if (take_prefix(&at, &len, prefix))
		path = smtpd__address_parse_path(
		    at, len, kind, &s->arena, address, &used);
	if (path == SMTPD_PATH_OK && used < len && at[used] != ' ')
		path = SMTPD_PATH_SYNTAX;
	if (path != SMTPD_PATH_OK) {
		refuse_path(s, path, enhanced, prefix);
		return false;
	}
	param = smtpd__param_parse_all(
	    at + used, len - used, &s->arena, &c->params, &c->nparams);
	if (param != SMTPD_PARAM_OK) {
		refuse_params(s, param);
		return false;
	}
	c->argument = line->argument;
	c->address = address;
	return true;
}

/* SIZE= (RFC 1870, 6.1): the declared size is refused as the message would
 * be. */
static bool
take_size(struct smtpd_session *s, const char *value)
{
	uint64_t limit = s->config->settings.max_message_size;
	uint64_t size;

	if (value == NULL || smtpd__param_number(value, &size) != 0) {
		smtpd__session_refuse(
		    s, SYNTAX, 501, "5.5.4", "SIZE needs a number of octets");
		return false;
	}
	if (limit != SMTPD_NO_SIZE_LIMIT && size > limit) {
		smtpd__session_refuse(s, SMTPD_COUNT(refused_size), 552,
		    "5.3.4", "message larger than %llu octets",
		    (unsigned long long)limit);
		return false;
	}
	s->envelope.size = size;
	return true;
}

/* BODY= (RFC 6152, 3). */
static bool
take_body(struct smtpd_session *s, const char *value)
{
	if (value != NULL && smtpd__text_same(value, "7BIT")) {
		s->envelope.encoding = SMTPD_ENCODING_7BIT;
		return true;
	}
	if (value != NULL && smtpd__text_same(value, "8BITMIME")) {
		s->envelope.encoding = SMTPD_ENCODING_8BITMIME;
		return true;
	}
	smtpd__session_refuse(
	    s, SYNTAX, 501, "5.5.4", "BODY is 7BIT or 8BITMIME");
	return false;
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
take_dsn(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (smtpd__dsn_param_is_valid(p->name, p->value))
		return true;
	smtpd__session_refuse(
	    s, SYNTAX, 501, "5.5.4", "bad value of %s", p->name);
	return false;
}

/* RFC 5321, 4.1.1.11 */
static bool
refuse_unknown(struct smtpd_session *s, const struct smtpd_param *p)
{
	smtpd__session_refuse(
	    s, SYNTAX, 555, "5.5.4", "parameter %s is not supported", p->name);
	return false;
}

static bool
take_mail_param(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (strcmp(p->name, "SIZE") == 0)
		return take_size(s, p->value);
	if (strcmp(p->name, "BODY") == 0)
		return take_body(s, p->value);
	if (is_dsn(s, p, "RET", "ENVID"))
		return take_dsn(s, p);
	if (smtpd__settings_names_have(&s->config->mail_params, p->name))
		return true;
	return refuse_unknown(s, p);
}

static bool
take_rcpt_param(struct smtpd_session *s, const struct smtpd_param *p)
{
	if (is_dsn(s, p, "NOTIFY", "ORCPT"))
		return take_dsn(s, p);
	if (smtpd__settings_names_have(&s->config->rcpt_params, p->name))
		return true;
	return refuse_unknown(s, p);
}

/* Whether the session may have one more transaction; else it is closed. */
static bool
has_transactions_left(struct smtpd_session *s)
{
	uint32_t max = s->config->settings.max_transactions;

	if (max == SMTPD_NO_LIMIT || s->transactions < max)
		return true;
	smtpd__session_refuse(s, SMTPD_COUNT(refused_abuse), 421, "4.7.0",
	    "%u messages in one session are enough, come again", max);
	return false;
}

/* The steps of MAIL between opening the transaction and accepting it. */
static bool
accept_sender(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_command c = { .verb = verb->name };

	if (!parse_path_command(s, line, "FROM:", "5.1.7", SMTPD_PATH_REVERSE,
		&s->envelope.sender, &c))
		return false;
	s->envelope.params = c.params;
	s->envelope.nparams = c.nparams;
	for (size_t i = 0; i < c.nparams; i++)
		if (!take_mail_param(s, &c.params[i]))
			return false;
	if (is_allowed(s, verb, &c, 2))
		return true;
	smtpd__session_count(s, SENDER);
	return false;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
 * (RFC 5321, 4.1.1.2) */
static void
cmd_mail(struct smtpd_session *s, const struct smtpd_verb *verb,
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
	smtpd__session_say(s, 250, "2.1.0", "sender ok");
}

/* RFC 5321, 4.5.3.1.10 */
static bool
has_rcpts_left(struct smtpd_session *s)
{
	uint32_t max = s->config->settings.max_recipients;

	if (max == SMTPD_NO_LIMIT || s->envelope.nrcpts < max)
		return true;
	smtpd__session_refuse(
	    s, RECIPIENT, 452, "4.5.3", "too many recipients");
	return false;
}

/* The steps of RCPT up to its acceptance. */
static bool
accept_rcpt(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_command c = { .verb = verb->name };
	struct smtpd_rcpt rcpt = { 0 };

	if (!parse_path_command(
		s, line, "TO:", "5.1.3", SMTPD_PATH_FORWARD, &rcpt.address, &c))
		return false;
	for (size_t i = 0; i < c.nparams; i++)
		if (!take_rcpt_param(s, &c.params[i]))
			return false;
	if (!has_rcpts_left(s))
		return false;
	if (verb->handler == NULL) {
		smtpd__session_refuse(
		    s, RECIPIENT, 550, "5.7.1", "no mail is taken here");
		return false;
	}
	if (!is_allowed(s, verb, &c, 2)) {
		smtpd__session_count(s, RECIPIENT);
		return false;
	}
	rcpt.params = c.params;
	rcpt.nparams = c.nparams;
	if (smtpd__transaction_add(s, &rcpt) == 0)
		return true;
	refuse_path(s, SMTPD_PATH_NO_MEMORY, "", "");
	return false;
}

/* rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF
 * (RFC 5321, 4.1.1.3) */
static void
cmd_rcpt(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!accept_rcpt(s, verb, line)) {
		s->rcpts_refused++;
		return;
	}
	s->state = SMTPD_STATE_RCPT;
	smtpd__session_count(s, SMTPD_COUNT(recipients));
	smtpd__session_say(s, 250, "2.1.5", "recipient ok");
}

/* The stream ended within a message: no reply but a last one. */
static void
lose_body(struct smtpd_session *s, const struct smtpd_body *b)
{
	switch (b->status) {
	case SMTPD_IO_TIMEOUT:
		smtpd__session_refuse(s, SMTPD_COUNT(timeouts), 421, "4.4.2",
		    "the message comes too slowly");
		smtpd__session_close(s, SMTPD_CLOSE_TIMEOUT);
		break;
	case SMTPD_IO_FLOOD:
		smtpd__session_refuse(s, SMTPD_COUNT(refused_size), 421,
		    "4.3.4", "message far too large");
		smtpd__session_close(s, SMTPD_CLOSE_REFUSED);
		break;
	case SMTPD_IO_INTERRUPTED:
		smtpd__session_refuse(s, SMTPD_COUNT(messages_refused), 421,
		    "4.3.2", "the server is stopping");
		smtpd__session_close(s, SMTPD_CLOSE_DRAINED);
		break;
	case SMTPD_IO_TLS:
		smtpd__session_break_tls(s);
		break;
	case SMTPD_IO_ERROR:
		smtpd__session_count(s, SMTPD_COUNT(errors));
		smtpd__session_close(s, SMTPD_CLOSE_ERROR);
		break;
	case SMTPD_IO_CLOSED:
	case SMTPD_IO_OK:
		smtpd__session_close(s, SMTPD_CLOSE_GONE);
		break;
	}
	smtpd__transaction_end(s, SMTPD_END_CLOSED, 0);
}

/* The message is whole: its reply decides what became of it. */
static void
end_message(struct smtpd_session *s)
{
	int code = s->ws->reply.code;
	bool delivered = code < 400;

	smtpd__session_count(s,
	    delivered ? SMTPD_COUNT(messages) : SMTPD_COUNT(messages_refused));
	if (delivered) {
		s->errors = 0;
		s->idle_commands = 0;
	}
	smtpd__transaction_end(
	    s, delivered ? SMTPD_END_DELIVERED : SMTPD_END_REFUSED, code);
}

/* Let the caller deliver the message, and find the reply to it. */
static void
receive_message(struct smtpd_session *s)
{
	const struct smtpd_server_config *c = s->config;
	struct smtpd_body body;

	smtpd__body_init(&body, s);
	if (smtpd__session_goes_on(
		s, c->deliver(s, &s->envelope, &body, c->deliver_user), 2))
		smtpd__session_say(
		    s, 250, "2.0.0", "ok, id=%s", s->envelope.id);
	if (!smtpd__body_finish(&body)) {
		lose_body(s, &body);
		return;
	}
	smtpd__body_refuse(&body);
	end_message(s);
}

/* data = "DATA" CRLF (RFC 5321, 4.1.1.4) */
static void
cmd_data(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	const struct smtpd_command c = {
		.verb = verb->name,
		.argument = line->argument,
	};

	if (s->envelope.nrcpts == 0) {
		smtpd__session_refuse(s, SYNTAX,
		    s->rcpts_refused > 0 ? 554 : 503, "5.5.1",
		    s->rcpts_refused > 0 ? "no valid recipients"
					 : "RCPT comes first");
		return;
	}
	if (!is_allowed(s, verb, &c, 3))
		return;
	smtpd__session_say(s, 354, NULL, "go on, end with a dot on its own");
	smtpd__session_answer(s);
	receive_message(s);
}

/* RFC 5321, 4.1.1.5 */
static void
cmd_rset(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!is_plain_allowed(s, verb, line))
		return;
	smtpd__transaction_end(s, SMTPD_END_RESET, 0);
	smtpd__session_say(s, 250, "2.0.0", "ok");
}

/* RFC 5321, 4.1.1.10 */
static void
cmd_quit(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!is_plain_allowed(s, verb, line))
		return;
	smtpd__session_say(s, 221, "2.0.0", "bye");
	smtpd__session_close(s, SMTPD_CLOSE_QUIT);
}

/* RFC 5321, 4.1.1.8 */
static void
cmd_help(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (is_plain_allowed(s, verb, line))
		smtpd__session_say(s, 214, "2.0.0",
		    "EHLO HELO MAIL RCPT DATA RSET NOOP QUIT HELP");
}

/* Verbs that a server may refuse, or should (RFC 5321, 4.2.4; RFC 5321, F). */
static void
cmd_refused(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (is_plain_allowed(s, verb, line) && s->ws->reply.code == 0)
		smtpd__session_refuse(
		    s, SYNTAX, 502, "5.5.1", "%s is not offered", verb->name);
}

/* NOOP (RFC 5321, 4.1.1.9), and a verb of the caller's own
 * (RFC 5321, 4.1.5). */
void
smtpd__verb_custom(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (is_plain_allowed(s, verb, line))
		smtpd__session_say(s, 250, "2.0.0", "ok");
}

#define ANY   SMTPD_STATES_ANY
#define START (unsigned)SMTPD_STATE_START
#define HELLO SMTPD_STATE_HELLO
#define MAIL  SMTPD_STATE_MAIL
#define RCPT  SMTPD_STATE_RCPT
#define LAST  SMTPD_TRAIT_LAST
#define IDLE  SMTPD_TRAIT_IDLE
#define PLAIN SMTPD_TRAIT_PLAIN

static const struct smtpd_verb verbs[] = {
	{ "MAIL", HELLO, 0, cmd_mail, NULL, NULL },
	{ "RCPT", MAIL | RCPT, 0, cmd_rcpt, NULL, NULL },
	{ "DATA", MAIL | RCPT, LAST | PLAIN, cmd_data, NULL, NULL },
	{ "QUIT", ANY, PLAIN, cmd_quit, NULL, NULL },
	{ "EHLO", ANY, LAST | IDLE, cmd_ehlo, NULL, NULL },
	{ "HELO", ANY, LAST | IDLE, cmd_helo, NULL, NULL },
	{ "STARTTLS", ANY & ~START, LAST | PLAIN, cmd_starttls, NULL, NULL },
	{ "RSET", ANY, IDLE | PLAIN, cmd_rset, NULL, NULL },
	{ "NOOP", ANY, LAST | IDLE, smtpd__verb_custom, NULL, NULL },
	{ "HELP", ANY, LAST | IDLE, cmd_help, NULL, NULL },
	{ "VRFY", ANY, LAST | IDLE, cmd_refused, NULL, NULL },
	{ "EXPN", ANY, LAST | IDLE, cmd_refused, NULL, NULL },
	{ "SEND", ANY, IDLE, cmd_refused, NULL, NULL },
	{ "SOML", ANY, IDLE, cmd_refused, NULL, NULL },
	{ "SAML", ANY, IDLE, cmd_refused, NULL, NULL },
	{ "TURN", ANY, LAST | IDLE, cmd_refused, NULL, NULL },
};

int
smtpd__verbs_install(struct smtpd_server_config *c)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (smtpd__settings_add_verb(c, &verbs[i]) != 0)
			return -1;
	return 0;
}
