/* SPDX-License-Identifier: MIT */
#include "server/verb_other.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "grammar/param.h"
#include "server/answer.h"
#include "server/handlers.h"
#include "server/transaction.h"

/* RFC 5321, 4.1.1.5 */
void
smtpd__verb_other_rset(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!smtpd__handlers_allow_line(s, verb, line))
		return;
	smtpd__transaction_end(s, SMTPD_END_RESET, 0);
	smtpd__answer_say(s, SMTPD_REPLY_OK, NULL);
}

/* RFC 5321, 4.1.1.10 */
void
smtpd__verb_other_quit(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!smtpd__handlers_allow_line(s, verb, line))
		return;
	smtpd__answer_say(s, SMTPD_REPLY_GOODBYE, NULL);
	smtpd__session_close(s, SMTPD_CLOSE_QUIT);
}

/* Append the program's verbs to the text of the reply. */
static void
add_own_verbs(struct smtpd_session *s)
{
	const struct smtpd_verb_table *verbs = &s->config->verbs;
	struct smtpd_reply *r = &s->ws->reply;
	struct smtpd_text t = {
		.at = r->text,
		.len = strlen(r->text),
		.size = sizeof(r->text),
	};

	for (size_t i = 0; i < verbs->count; i++)
		if (verbs->verbs[i].act == smtpd__verb_other_custom &&
		    strcmp(verbs->verbs[i].name, "NOOP") != 0)
			smtpd__text_format(&t, " %s", verbs->verbs[i].name);
}

/* RFC 5321, 4.1.1.8 */
void
smtpd__verb_other_help(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!smtpd__handlers_allow_line(s, verb, line) ||
	    s->ws->reply.code != 0)
		return;
	smtpd__answer_say(s, SMTPD_REPLY_HELP, s->lmtp ? "LHLO" : "EHLO HELO");
	add_own_verbs(s);
}

/* RFC 5321, 4.2.4 */
void
smtpd__verb_other_refused(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line)
{
	if (smtpd__handlers_allow_line(s, verb, line) && s->ws->reply.code == 0)
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_SYNTAX,
		    SMTPD_REPLY_NOT_IMPLEMENTED, verb->name);
}

/* Cut " SMTPUTF8" off the end of the LEN bytes at TEXT; whether it was there
 * (RFC 6531, 3.7.4.2). */
static bool
cut_smtputf8(char *text, size_t len)
{
	static const char name[] = "SMTPUTF8";
	size_t at = len - strlen(name);

	if (len <= strlen(name) || !smtpd__text_is_white(text[at - 1]) ||
	    !smtpd__text_same(text + at, name))
		return false;
	while (at > 0 && smtpd__text_is_white(text[at - 1]))
		at--;
	text[at] = '\0';
	return true;
}

/* Read the argument of LINE, a name and perhaps SMTPUTF8, into C, in memory of
 * the session's arena.  Refuse characters that are not allowed. */
static bool
parse_name(struct smtpd_session *s, const struct smtpd_command_line *line,
    struct smtpd_command *c)
{
	static const char param[] = " SMTPUTF8";
	char *name = smtpd__arena_text(&s->arena, line->argument, line->len);

	c->argument = name;
	if (name == NULL ||
	    (cut_smtputf8(name, line->len) &&
		smtpd__param_parse_all(param, strlen(param), &s->arena,
		    &c->params) != SMTPD_PARAM_OK)) {
		smtpd__answer_refuse(
		    s, SMTPD_COUNTER_ERRORS, SMTPD_REPLY_NO_MEMORY, NULL);
		return false;
	}
	s->ws->reply.utf8 = c->params != NULL;
	if (smtpd__text_is_ascii(name, strlen(name)))
		return true;
	if (c->params == NULL)
		smtpd__answer_refuse_non_ascii(
		    s, SMTPD_REPLY_ADDRESS_NEEDS_SMTPUTF8);
	else if (!smtpd__utf8_is_valid(name, strlen(name)))
		smtpd__answer_refuse_non_ascii(s, SMTPD_REPLY_ADDRESS_BAD_UTF8);
	else
		return true;
	return false;
}

/* RFC 6531, 3.7.4.2 */
void
smtpd__verb_other_lookup(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	const struct smtpd_arena_mark before = smtpd__arena_mark(&s->arena);
	struct smtpd_command c = { .verb = verb->name };

	if ((s->config->settings.flags & SMTPD_FLAG_SMTPUTF8) == 0) {
		smtpd__verb_other_refused(s, verb, line);
		return;
	}
	if (parse_name(s, line, &c) && smtpd__handlers_allow(s, verb, &c, 2) &&
	    s->ws->reply.code == 0)
		smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_SYNTAX,
		    SMTPD_REPLY_NOT_IMPLEMENTED, verb->name);
	smtpd__arena_rewind(&s->arena, &before);
}

/* RFC 5321, 4.1.5 */
void
smtpd__verb_other_custom(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (smtpd__handlers_allow_line(s, verb, line))
		smtpd__answer_say(s, SMTPD_REPLY_OK, NULL);
}
