/* SPDX-License-Identifier: MIT */
#include "server/filter_change.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "grammar/fields.h"
#include "server/filter_run.h"
#include "server/verb_mail.h"

/* field-name = 1*ftext (RFC 5322, 3.6.8) */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return len > 0 && len < SMTPD_FIELD_NAME_MAX;
}

static bool
is_value(const char *value)
{
	for (size_t i = 0; value[i] != '\0'; i++)
		if (smtpd__text_is_control((unsigned char)value[i]) &&
		    value[i] != '\t' && value[i] != '\n' &&
		    (value[i] != '\r' || value[i + 1] != '\n'))
			return false;
	return true;
}

/* Write LEN bytes at VALUE, folded at its line ends, to TO.  Return the end of
 * what was written, at most three times as much. */
static char *
write_value(char *to, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\r')
			continue;
		if (value[i] == '\n')
			*to++ = '\r';
		*to++ = value[i];
		if (value[i] == '\n' &&
		    !smtpd__text_is_white((unsigned char)value[i + 1]))
			*to++ = '\t';
	}
	return to;
}

int
smtpd_session_add_field(
    struct smtpd_session *s, const char *name, const char *value)
{
	struct smtpd_added_field *field;
	size_t name_len, len;
	char *end;

	if (s->filter_run == NULL || name == NULL || value == NULL ||
	    !is_name(name) || !is_value(value)) {
		errno = EINVAL;
		return -1;
	}
	name_len = strlen(name);
	len = strlen(value);
	while (len > 0 && strchr("\r\n", value[len - 1]) != NULL)
		len--;
	field = smtpd__arena_alloc(
	    &s->arena, sizeof(*field) + name_len + 4 + 3 * len);
	if (field == NULL) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(field->text, name, name_len);
	memcpy(field->text + name_len, ": ", 2);
	end = write_value(field->text + name_len + 2, value, len);
	memcpy(end, "\r\n", 2);
	field->len = (size_t)(end + 2 - field->text);
	field->below = s->filter_run->top;
	s->filter_run->top = field;
	return 0;
}

/* Whether RCPT in LINE is accepted; the reply that is set stays. */
static bool
is_accepted(struct smtpd_session *s, const struct smtpd_command_line *line)
{
	const struct smtpd_verb *verb =
	    smtpd__verb_table_find(&s->config->verbs, line->verb);
	const struct smtpd_reply kept = s->ws->reply;
	bool accepted;

	s->ws->reply.code = 0;
	smtpd__verb_mail_rcpt(s, verb, line);
	accepted = s->ws->reply.code < 400;
	s->ws->reply = kept;
	s->may_reply = true;
	return accepted;
}

int
smtpd_session_add_rcpt(struct smtpd_session *s, const char *address)
{
	char argument[SMTPD_ADDRESS_MAX + sizeof("TO:<>")];
	struct smtpd_command_line line = {
		.verb = "RCPT",
		.argument = argument,
	};
	struct smtpd_text t;

	smtpd__text_init(&t, argument, sizeof(argument));
	if (address != NULL)
		smtpd__text_format(&t, "TO:<%s>", address);
	if (s->filter_run == NULL || address == NULL || t.cut) {
		errno = EINVAL;
		return -1;
	}
	line.len = t.len;
	if (!is_accepted(s, &line)) {
		errno = EACCES;
		return -1;
	}
	s->rcpts.added++;
	return 0;
}

int
smtpd_session_remove_rcpt(struct smtpd_session *s, size_t i)
{
	if (s->filter_run == NULL || i >= s->envelope.nrcpts) {
		errno = EINVAL;
		return -1;
	}
	s->rcpts.list[i].removed = true;
	return 0;
}
