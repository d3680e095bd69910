/* SPDX-License-Identifier: MIT */
#include "server/command_log.h"

#include <string.h>

#include "base/text.h"
#include "server/verb_table.h"

/* As much of a verb as a line of the log has. */
#define VERB_SIZE 40

bool
smtpd__command_log_takes_secret(const struct smtpd_session *s, const char *line)
{
	const struct smtpd_verb_table *t = &s->config->verbs;

	line += strspn(line, " \t");
	/* This is asked of each line, and most have none. */
	if (!smtpd__verb_table_may_be_secret(t, *line))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const char *name = t->verbs[i].name;
		size_t len;

		if ((t->verbs[i].traits & SMTPD_TRAIT_SECRET) == 0)
			continue;
		len = strlen(name);
		if (strnlen(line, len) == len &&
		    smtpd__text_same_bytes(line, name, len) &&
		    !smtpd__text_is_alpha((unsigned char)line[len]))
			return true;
	}
	return false;
}

void
smtpd__command_log_write(
    const struct smtpd_session *s, const char *line, bool secret)
{
	char word[VERB_SIZE], name[4 * VERB_SIZE], value[1024];
	const char *argument;
	size_t n = 0;

	if (!smtpd__logger_wants(&s->config->logger, SMTPD_LOG_TRACE))
		return;
	while (
	    n < VERB_SIZE - 1 && smtpd__text_is_alpha((unsigned char)line[n]))
		n++;
	memcpy(word, line, n);
	word[n] = '\0';
	argument = line + n + (line[n] == ' ');
	if (secret)
		memcpy(word, "***", sizeof("***"));
	if (secret || smtpd__command_log_takes_secret(s, line))
		argument = "***";
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_TRACE,
	    "session=%llu command=%s argument=%s", (unsigned long long)s->id,
	    smtpd__text_value(word, name, sizeof(name)),
	    smtpd__text_quoted(argument, value, sizeof(value)));
}
