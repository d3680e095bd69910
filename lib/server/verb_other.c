/* SPDX-License-Identifier: MIT */
#include "server/verb_other.h"

#include <string.h>

#include "base/text.h"
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
	smtpd__answer_say(s, SMTPD_REPLY_HELP, NULL);
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

/* RFC 5321, 4.1.5 */
void
smtpd__verb_other_custom(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (smtpd__handlers_allow_line(s, verb, line))
		smtpd__answer_say(s, SMTPD_REPLY_OK, NULL);
}
