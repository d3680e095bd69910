/* SPDX-License-Identifier: MIT */
#include "milter/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The value of X as it stands behind the colon: with a space, unless the milter
 * minds them itself.  It is to be freed; NULL without memory. */
static char *
make_value(const struct smtpd_milter_session *ms, const struct smtpd_change *x)
{
	const bool exact = ms->talk.c != NULL &&
	    (ms->talk.c->agreed.steps & SMTPD_MILTER_LEADING_SPACE) != 0;
	size_t len = strlen(x->value);
	char *value = malloc(len + 2);

	if (value == NULL)
		return NULL;
	value[0] = ' ';
	memcpy(value + !exact, x->value, len + 1);
	return value;
}

/* Add a field, or replace the one that X names; without a value it is
 * removed. */
static int
change_field(struct smtpd_milter_session *ms, const struct smtpd_change *x)
{
	struct smtpd_session *s = ms->session;
	/* Sendmail and Postfix count their own Received field too, which is
	 * above all that a milter sees, and not there yet. */
	size_t i = x->index > 0 ? x->index - 1 : 0;
	char *value;
	int result, error;

	if (x->kind == SMTPD_MILTER_CHANGE_HEADER && x->value[0] == '\0')
		return smtpd_session_change_field(s, x->name, i, NULL);
	value = make_value(ms, x);
	if (value == NULL)
		return -1;
	if (x->kind == SMTPD_MILTER_INSERT_HEADER) {
		result = smtpd_session_insert_field(s, i, x->name, value);
	} else if (x->kind == SMTPD_MILTER_ADD_HEADER) {
		result =
		    smtpd_session_insert_field(s, SIZE_MAX, x->name, value);
	} else {
		result = smtpd_session_change_field(s, x->name, i, value);
		if (result == -1 && errno == ENOENT)
			result = smtpd_session_insert_field(
			    s, SIZE_MAX, x->name, value);
	}
	error = errno;
	free(value);
	errno = error;
	return result;
}

/* Copy ADDRESS without its angle brackets to BUF of SIZE bytes. */
static void
strip_address(const char *address, char *buf, size_t size)
{
	size_t len = strlen(address);
	struct smtpd_text t;

	smtpd__text_init(&t, buf, size);
	if (len >= 2 && address[0] == '<' && address[len - 1] == '>')
		smtpd__text_bytes(&t, address + 1, len - 2);
	else
		smtpd__text_bytes(&t, address, len);
}

/* The recipient ADDRESS of E that is not removed; nrcpts: there is none. */
static size_t
find_rcpt(const struct smtpd_envelope *e, const char *address)
{
	size_t i = 0;

	for (; i < e->nrcpts; i++) {
		const struct smtpd_rcpt *r = smtpd_envelope_rcpt(e, i);

		if (!r->removed && smtpd__text_same(r->address.text, address))
			break;
	}
	return i;
}

static int
change_envelope(struct smtpd_milter_session *ms, const struct smtpd_change *x)
{
	struct smtpd_session *s = ms->session;
	const struct smtpd_envelope *e = smtpd_session_envelope(s);
	char address[SMTPD_ADDRESS_MAX];
	size_t i;

	strip_address(x->name, address, sizeof(address));
	i = find_rcpt(e, address);
	if (x->kind == SMTPD_MILTER_CHANGE_FROM)
		return smtpd_session_set_sender(s, address);
	if (x->kind == SMTPD_MILTER_DEL_RCPT) {
		errno = ENOENT;
		return i < e->nrcpts ? smtpd_session_remove_rcpt(s, i) : -1;
	}
	return i < e->nrcpts
	    ? 0
	    : smtpd_session_add_rcpt_params(s, address, x->value);
}

static int
make_change(struct smtpd_milter_session *ms, const struct smtpd_change *x)
{
	switch (x->kind) {
	case SMTPD_MILTER_ADD_HEADER:
	case SMTPD_MILTER_INSERT_HEADER:
	case SMTPD_MILTER_CHANGE_HEADER:
		return change_field(ms, x);
	case SMTPD_MILTER_QUARANTINE:
		return smtpd_session_quarantine(ms->session, x->name);
	default:
		return change_envelope(ms, x);
	}
}

/* Whether X failed by errno because of what it is. */
static bool
is_senseless(
    const struct smtpd_milter_session *ms, const struct smtpd_change *x)
{
	char name[256], why[128];

	if (errno != EINVAL && errno != ENOENT && errno != EACCES)
		return false;
	if (strerror_r(errno, why, sizeof(why)) != 0)
		why[0] = '\0';
	smtpd__logger_write(&ms->milter->logger, SMTPD_LOG_WARNING,
	    "milter change left out session=%llu milter=%s change=%c name=%s "
	    "reason=\"%s\"",
	    (unsigned long long)smtpd_session_id(ms->session), ms->milter->text,
	    (char)x->kind, smtpd__text_value(x->name, name, sizeof(name)), why);
	return true;
}

int
smtpd__apply_changes(
    struct smtpd_milter_session *ms, const struct smtpd_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct smtpd_change *x = &changes->list[i];

		if (make_change(ms, x) == 0 || is_senseless(ms, x))
			continue;
		if (errno == EMSGSIZE)
			return smtpd_reply(ms->session, 552, "5.3.4",
			    "The header is too long to be changed");
		return smtpd_reply(ms->session, 451, "4.3.0",
		    "The message cannot be changed now, try again later");
	}
	return 0;
}
