/* SPDX-License-Identifier: MIT */
#include "server/filter_change.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "server/filter_run.h"
#include "server/verb_mail.h"

/* Room for the argument of MAIL or RCPT with parameters. */
#define ARGUMENT_SIZE (SMTPD_ADDRESS_MAX + 1024)

/* The run of the filter that S asks: EARLY, before it has seen the whole
 * message, too.  NULL with errno EINVAL. */
static struct smtpd_filter_run *
find_run(struct smtpd_session *s, bool early)
{
	struct smtpd_filter_run *r = s->filter_run;

	if (r != NULL && (early || r->ending))
		return r;
	errno = EINVAL;
	return NULL;
}

int
smtpd_session_add_field(
    struct smtpd_session *s, const char *name, const char *value)
{
	struct smtpd_filter_run *r = find_run(s, true);

	if (r == NULL || name == NULL || value == NULL) {
		errno = EINVAL;
		return -1;
	}
	return smtpd__filter_run_insert(r, 0, name, " ", value);
}

int
smtpd_session_insert_field(
    struct smtpd_session *s, size_t at, const char *name, const char *value)
{
	struct smtpd_filter_run *r = find_run(s, false);

	if (r == NULL || name == NULL || value == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (smtpd__filter_run_load(r) == -1)
		return -1;
	return smtpd__filter_run_insert(r, at, name, "", value);
}

int
smtpd_session_change_field(
    struct smtpd_session *s, const char *name, size_t i, const char *value)
{
	struct smtpd_filter_run *r = find_run(s, false);
	size_t at;

	if (r == NULL || name == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (smtpd__filter_run_load(r) == -1)
		return -1;
	at = smtpd__header_list_find(&r->header, name, i);
	if (at == r->header.count) {
		errno = ENOENT;
		return -1;
	}
	if (value != NULL &&
	    smtpd__filter_run_insert(r, at + 1, name, "", value) == -1)
		return -1;
	smtpd__header_list_remove(&r->header, at);
	return 0;
}

int
smtpd_session_replace_body(
    struct smtpd_session *s, const void *data, size_t len)
{
	struct smtpd_filter_run *r = find_run(s, false);

	if (r == NULL || (data == NULL && len > 0)) {
		errno = EINVAL;
		return -1;
	}
	if (smtpd__filter_run_load(r) == -1)
		return -1;
	return smtpd__filter_run_replace(r, data, len);
}

void
smtpd_session_keep_body(struct smtpd_session *s)
{
	if (s->filter_run != NULL)
		smtpd__filter_run_keep_body(s->filter_run);
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

/* Write the argument of MAIL or RCPT that has PREFIX, ADDRESS and PARAMS, or
 * NULL, to BUF of SIZE bytes, and let LINE be that.  Return 0, or -1 with
 * errno: they are too long, or no text. */
static int
write_argument(struct smtpd_command_line *line, const char *prefix,
    const char *address, const char *params, char *buf, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	if (address != NULL)
		smtpd__text_format(&t, "%s<%s>", prefix, address);
	if (params != NULL && params[0] != '\0')
		smtpd__text_format(&t, " %s", params);
	if (address == NULL || t.cut) {
		errno = EINVAL;
		return -1;
	}
	line->argument = buf;
	line->len = t.len;
	return 0;
}

int
smtpd_session_add_rcpt_params(
    struct smtpd_session *s, const char *address, const char *params)
{
	char argument[ARGUMENT_SIZE];
	struct smtpd_command_line line = { .verb = "RCPT" };

	if (find_run(s, true) == NULL ||
	    write_argument(&line, "TO:", address, params, argument,
		sizeof(argument)) == -1) {
		errno = EINVAL;
		return -1;
	}
	if (!is_accepted(s, &line)) {
		errno = EACCES;
		return -1;
	}
	s->rcpts.added++;
	return 0;
}

int
smtpd_session_add_rcpt(struct smtpd_session *s, const char *address)
{
	return smtpd_session_add_rcpt_params(s, address, NULL);
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

int
smtpd_session_set_sender(struct smtpd_session *s, const char *address)
{
	char argument[ARGUMENT_SIZE];
	struct smtpd_command_line line = { .verb = "MAIL" };

	if (find_run(s, true) == NULL ||
	    write_argument(&line, "FROM:", address, NULL, argument,
		sizeof(argument)) == -1 ||
	    !smtpd__verb_mail_set_sender(s, &line)) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
smtpd_session_quarantine(struct smtpd_session *s, const char *reason)
{
	char *text;

	if (find_run(s, true) == NULL || reason == NULL) {
		errno = EINVAL;
		return -1;
	}
	text = smtpd__arena_text(&s->arena, reason, strlen(reason));
	if (text == NULL) {
		errno = ENOMEM;
		return -1;
	}
	s->envelope.quarantine = text;
	return 0;
}

int
smtpd_session_discard(struct smtpd_session *s)
{
	struct smtpd_filter_run *r = find_run(s, true);

	if (r == NULL)
		return -1;
	r->discarded = true;
	return 0;
}
