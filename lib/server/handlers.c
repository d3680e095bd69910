/* SPDX-License-Identifier: MIT */
#include "server/handlers.h"

#include "server/answer.h"

bool
smtpd__handlers_allow(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command *command, int good)
{
	for (size_t i = 0; i < verb->nhandlers; i++) {
		const struct smtpd_handler *h = &verb->handlers[i];
		int result;

		smtpd__stream_flush_old(&s->stream);
		s->may_reply = true;
		result = h->fn(s, command, h->user);
		s->may_reply = false;
		if (result != 0)
			return smtpd__answer_check(s, result, good);
		s->ws->reply.code = 0;
	}
	return true;
}

bool
smtpd__handlers_allow_line(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line)
{
	const struct smtpd_command command = {
		.verb = verb->name,
		.argument = line->argument,
	};

	return smtpd__handlers_allow(s, verb, &command, 2);
}
