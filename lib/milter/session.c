/* SPDX-License-Identifier: MIT */
#include "milter/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
cancel_fd(void *user)
{
	return smtpd_cancel_fd(smtpd_session_cancel(user));
}

static void
free_session(void *data)
{
	struct smtpd_milter_session *ms = data;

	smtpd__conversation_close(&ms->talk);
	smtpd__pack_free(&ms->message.value);
	smtpd__pack_free(&ms->message.chunk);
	free(ms);
}

struct smtpd_milter_session *
smtpd__milter_session_get(struct smtpd_session *s, struct smtpd_milter *m)
{
	struct smtpd_milter_session *ms = smtpd_session_attached(s, m);

	if (ms != NULL)
		return ms;
	ms = calloc(1, sizeof(*ms));
	if (ms == NULL)
		return NULL;
	ms->milter = m;
	ms->session = s;
	ms->values.milter = m;
	ms->values.session = s;
	ms->talk.milter = m;
	ms->talk.wait.cancel_fd = cancel_fd;
	ms->talk.wait.user = s;
	ms->talk.value = smtpd__values_find;
	ms->talk.user = &ms->values;
	if (smtpd_session_attach(s, m, ms, free_session) == 0)
		return ms;
	free(ms);
	return NULL;
}

void
smtpd__milter_session_reset(struct smtpd_milter_session *ms)
{
	struct smtpd_milter_message *m = &ms->message;

	smtpd__conversation_abort(&ms->talk);
	smtpd__pack_free(&m->value);
	smtpd__pack_free(&m->chunk);
	m->name[0] = '\0';
	m->header_over = m->body_skipped = false;
	ms->state = SMTPD_MILTER_PASSED;
}

static void
log_failure(const struct smtpd_milter_session *ms)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(ms->session);
	char why[128];

	if (strerror_r(ms->talk.error, why, sizeof(why)) != 0)
		why[0] = '\0';
	smtpd__logger_write(&ms->milter->logger, SMTPD_LOG_WARNING,
	    "milter failed session=%llu id=%s milter=%s reason=\"%s\"",
	    (unsigned long long)smtpd_session_id(ms->session),
	    e != NULL ? e->id : "-", ms->milter->text,
	    ms->talk.error == EPROTO ? "it does not keep to the protocol"
				     : why);
}

int
smtpd__milter_session_fail(struct smtpd_milter_session *ms)
{
	switch (ms->milter->settings.failure) {
	case SMTPD_MILTER_FAILURE_TEMPFAIL:
		break;
	case SMTPD_MILTER_FAILURE_ACCEPT:
		ms->state = SMTPD_MILTER_PASSED;
		return 0;
	case SMTPD_MILTER_FAILURE_REJECT:
		return smtpd_reply(
		    ms->session, 550, "5.7.1", "The message cannot be checked");
	}
	return smtpd_reply(ms->session, 451, "4.7.1",
	    "The message cannot be checked now, try again later");
}

int
smtpd__milter_session_act(
    struct smtpd_milter_session *ms, enum smtpd_decision_kind kind)
{
	const struct smtpd_decision *v = &ms->talk.decision;

	switch (kind) {
	case SMTPD_DECISION_CONTINUE:
	case SMTPD_DECISION_SKIP:
		return 0;
	case SMTPD_DECISION_ACCEPT:
		ms->state = SMTPD_MILTER_PASSED;
		return 0;
	case SMTPD_DECISION_DISCARD:
		ms->state = SMTPD_MILTER_DROPPED;
		return 0;
	case SMTPD_DECISION_REFUSE:
		return smtpd_reply(ms->session, v->code,
		    v->enhanced[0] != '\0' ? v->enhanced : NULL, "%s", v->text);
	case SMTPD_DECISION_FAILED:
		break;
	}
	log_failure(ms);
	ms->state = SMTPD_MILTER_BROKEN;
	return smtpd__milter_session_fail(ms);
}

/* Tell the address of the client. */
static enum smtpd_decision_kind
tell_client(struct smtpd_milter_session *ms)
{
	const char *address = smtpd_session_peer(ms->session);
	const char *name = smtpd__values_client_name(ms->session);
	const char *port = smtpd__values_find(&ms->values, "client_port");
	const bool local = strpbrk(address, ".:") == NULL;
	char host[SMTPD_HOSTNAME_SIZE];

	if (local)
		return smtpd__conversation_connect(
		    &ms->talk, "localhost", 'U', 0, NULL);
	if (strcmp(name, "unknown") == 0)
		snprintf(host, sizeof(host), "[%s]", address);
	else
		snprintf(host, sizeof(host), "%s", name);
	return smtpd__conversation_connect(&ms->talk, host,
	    strchr(address, ':') != NULL ? '6' : '4',
	    port != NULL ? (uint16_t)strtoul(port, NULL, 10) : 0, address);
}

/* What KIND, of the client or its name, means for the rest of the session. */
static void
keep_decision(struct smtpd_milter_session *ms, enum smtpd_decision_kind kind)
{
	if (kind == SMTPD_DECISION_ACCEPT)
		ms->content = true;
	if (kind == SMTPD_DECISION_REFUSE)
		ms->refusal = ms->talk.decision;
}

/* Connect, and tell who the client is. */
static enum smtpd_decision_kind
meet_client(struct smtpd_milter_session *ms, bool fresh)
{
	enum smtpd_decision_kind kind;

	ms->helo[0] = '\0';
	kind = smtpd__conversation_open(&ms->talk, fresh);
	if (kind == SMTPD_DECISION_CONTINUE)
		kind = tell_client(ms);
	keep_decision(ms, kind);
	return kind;
}

/* Tell the name in HELO, if it was not told yet. */
static enum smtpd_decision_kind
tell_helo(struct smtpd_milter_session *ms)
{
	const char *name = smtpd_session_helo(ms->session);
	const bool tls = smtpd_session_tls(ms->session) != NULL;
	enum smtpd_decision_kind kind;

	if (strcmp(ms->helo, name) == 0 && ms->tls == tls)
		return SMTPD_DECISION_CONTINUE;
	snprintf(ms->helo, sizeof(ms->helo), "%s", name);
	ms->tls = tls;
	kind = smtpd__conversation_helo(&ms->talk, name);
	keep_decision(ms, kind);
	return kind;
}

/* All that goes before RCPT. */
static enum smtpd_decision_kind
begin_message(struct smtpd_milter_session *ms, bool fresh)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(ms->session);
	enum smtpd_decision_kind kind = SMTPD_DECISION_CONTINUE;

	if (ms->talk.c == NULL)
		kind = meet_client(ms, fresh);
	if (kind == SMTPD_DECISION_CONTINUE)
		kind = tell_helo(ms);
	if (kind == SMTPD_DECISION_CONTINUE)
		kind = smtpd__conversation_path(
		    &ms->talk, SMTPD_MILTER_MAIL, e->sender.text, e->params);
	return kind;
}

enum smtpd_decision_kind
smtpd__milter_session_begin(struct smtpd_milter_session *ms)
{
	enum smtpd_decision_kind kind;

	ms->state = SMTPD_MILTER_ASKED;
	/* What a filter says after a decision is about no other message. */
	if (ms->talk.c != NULL && !smtpd__connection_is_fresh(ms->talk.c))
		smtpd__conversation_close(&ms->talk);
	if (ms->talk.c != NULL) {
		ms->talk.c->reused = true;
		ms->talk.c->answered = false;
	}
	kind = begin_message(ms, false);
	/* A filter that was started anew has closed what it had before. */
	if (kind == SMTPD_DECISION_FAILED && ms->talk.stale &&
	    (ms->talk.error == ECONNRESET || ms->talk.error == EPIPE))
		kind = begin_message(ms, true);
	return kind;
}
