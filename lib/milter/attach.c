/* SPDX-License-Identifier: MIT */
#include "milter/attach.h"

#include "milter/message.h"
#include "milter/session.h"

static int
reply_memory(struct smtpd_session *s)
{
	return smtpd_reply(s, 451, "4.3.0", "Out of memory, try again later");
}

static int
check_mail(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct smtpd_milter_session *ms = smtpd__milter_session_get(s, user);

	(void)c;
	if (ms == NULL)
		return reply_memory(s);
	smtpd__milter_session_reset(ms);
	if (ms->content)
		return 0;
	if (ms->refusal.kind == SMTPD_DECISION_REFUSE) {
		ms->talk.decision = ms->refusal;
		return smtpd__milter_session_act(ms, SMTPD_DECISION_REFUSE);
	}
	return smtpd__milter_session_act(ms, smtpd__milter_session_begin(ms));
}

static int
check_rcpt(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct smtpd_milter_session *ms = smtpd__milter_session_get(s, user);
	enum smtpd_decision_kind kind;

	if (ms == NULL)
		return reply_memory(s);
	if (ms->state == SMTPD_MILTER_BROKEN)
		return smtpd__milter_session_fail(ms);
	/* A recipient that another filter adds is none of the client's. */
	if (ms->state != SMTPD_MILTER_ASKED || !ms->talk.in_message)
		return 0;
	ms->values.rcpt = c->address;
	kind = smtpd__conversation_path(
	    &ms->talk, SMTPD_MILTER_RCPT, c->address->text, c->params);
	ms->values.rcpt = NULL;
	return smtpd__milter_session_act(ms, kind);
}

/* Another HELO may be a better one, and after XCLIENT it is another client. */
static int
forget_client(struct smtpd_session *s, void *user)
{
	struct smtpd_milter_session *ms = smtpd_session_attached(s, user);

	if (ms == NULL)
		return 0;
	smtpd__conversation_close(&ms->talk);
	ms->content = false;
	ms->refusal.kind = SMTPD_DECISION_CONTINUE;
	return 0;
}

static int
forget_helo(struct smtpd_session *s, const struct smtpd_command *c, void *user)
{
	struct smtpd_milter_session *ms = smtpd_session_attached(s, user);

	(void)c;
	if (ms != NULL && ms->helo[0] != '\0') {
		ms->helo[0] = '\0';
		ms->refusal.kind = SMTPD_DECISION_CONTINUE;
	}
	return 0;
}

static void
end_transaction(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    enum smtpd_end how, int code, void *user)
{
	struct smtpd_milter_session *ms = smtpd_session_attached(s, user);

	(void)envelope;
	(void)how;
	(void)code;
	if (ms != NULL)
		smtpd__milter_session_reset(ms);
}

int
smtpd_server_add_milter(struct smtpd_server *srv, struct smtpd_milter *m)
{
	static const char *const hellos[] = { "EHLO", "HELO", "LHLO" };
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = forget_client,
		.transaction_end = end_transaction,
		.user = m,
	};
	const struct smtpd_filter filter = {
		SMTPD_FILTER_INIT,
		.begin = smtpd__milter_message_begin,
		.data = smtpd__milter_message_data,
		.end = smtpd__milter_message_end,
		.user = m,
	};

	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++)
		if (smtpd_server_add_check(srv, hellos[i], forget_helo, m) ==
		    -1)
			return -1;
	if (smtpd_server_add_events(srv, &events) == -1 ||
	    smtpd_server_add_check(srv, "MAIL", check_mail, m) == -1 ||
	    smtpd_server_add_check(srv, "RCPT", check_rcpt, m) == -1)
		return -1;
	return smtpd_server_add_filter(srv, &filter);
}
