/* SPDX-License-Identifier: MIT */
#include "server/verb_hello.h"

#include <string.h>

#include "base/text.h"
#include "grammar/ehlo_limits.h"
#include "server/answer.h"
#include "server/auth_offer.h"
#include "server/handlers.h"
#include "server/mail_params.h"
#include "server/session_tls.h"
#include "server/transaction.h"
#include "server/verb_xclient.h"

/* Octets of the first line in the reply to EHLO that fit in one (RFC 5321,
 * 4.5.3.1.5). */
#define GREETING_MAX 505

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX

/*
 * ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
 * Any text is taken for the name: it proves nothing (RFC 5321, 4.1.4), and many
 * a client has none that is good.  It also resets, as RSET does.
 */
static bool
accept_hello(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	struct smtpd_text name;

	if (line->len == 0 || line->len >= sizeof(s->helo)) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_BAD_HELLO, verb->name);
		return false;
	}
	if (!smtpd__handlers_allow_line(s, verb, line))
		return false;
	smtpd__transaction_start_over(s);
	smtpd__text_init(&name, s->helo, sizeof(s->helo));
	smtpd__text_filtered(&name, line->argument, line->len);
	s->state = SMTPD_STATE_HELLO;
	return true;
}

/* LIMITS (RFC 9422): those limits of the settings that a client can keep.  A
 * MAIL or RCPT that is refused is not counted, so more are taken than it says.
 */
static void
add_limits(const struct smtpd_settings *settings, struct smtpd_text *t)
{
	const struct smtpd_ehlo_limits limits = {
		.mails = settings->max_transactions,
		.rcpts = settings->max_recipients,
	};
	char params[64];
	struct smtpd_text text;

	smtpd__text_init(&text, params, sizeof(params));
	smtpd__ehlo_limits_write(&text, &limits);
	if (text.len > 0)
		smtpd__text_format(t, "\nLIMITS%s", params);
}

/* Append the lines of the extensions to the reply: ehlo-ok-rsp (RFC 5321,
 * 4.1.1.1). */
static void
add_extensions(struct smtpd_session *s)
{
	const struct smtpd_server_config *c = s->config;
	struct smtpd_reply *r = &s->ws->reply;
	struct smtpd_text t = {
		.at = r->text,
		.len = strlen(r->text),
		.size = sizeof(r->text),
	};

	smtpd__text_add(&t, "\nPIPELINING\nSIZE");
	if (c->settings.max_message_size != SMTPD_NO_SIZE_LIMIT) {
		smtpd__text_byte(&t, ' ');
		smtpd__text_number(&t, c->settings.max_message_size);
	}
	add_limits(&c->settings, &t);
	smtpd__text_add(&t, "\n8BITMIME\nENHANCEDSTATUSCODES");
	if ((c->settings.flags & SMTPD_FLAG_DSN) != 0)
		smtpd__text_add(&t, "\nDSN");
	if ((c->settings.flags & SMTPD_FLAG_SMTPUTF8) != 0)
		smtpd__text_add(&t, "\nSMTPUTF8");
	if ((c->settings.flags & SMTPD_FLAG_CHUNKING) != 0)
		smtpd__text_add(&t, "\nCHUNKING");
	if ((c->settings.flags & SMTPD_FLAG_BINARYMIME) != 0)
		smtpd__text_add(&t, "\nBINARYMIME");
	smtpd__mail_params_announce(s, &t);
	if (s->tls != NULL && s->stream.tls == NULL)
		smtpd__text_add(&t, "\nSTARTTLS");
	smtpd__auth_offer_write(s, &t);
	smtpd__verb_xclient_announce(s, &t);
	smtpd__keywords_announce(&c->keywords, s, &t);
}

/* Each further line of a reply to EHLO would be taken for a keyword. */
static void
make_one_line(char *text)
{
	if (strlen(text) > GREETING_MAX)
		text[GREETING_MAX] = '\0';
	for (; *text != '\0'; text++)
		if (*text == '\n')
			*text = ' ';
}

void
smtpd__verb_hello_ehlo(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!accept_hello(s, verb, line))
		return;
	s->esmtp = true;
	smtpd__answer_say(s, SMTPD_REPLY_EHLO, s->config->hostname);
	smtpd__answer_lead_with_name(s);
	make_one_line(s->ws->reply.text);
	/* Its lines have a form of their own, without an enhanced code. */
	s->ws->reply.code = 250;
	s->ws->reply.enhanced[0] = '\0';
	add_extensions(s);
}

void
smtpd__verb_hello_helo(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line)
{
	if (!accept_hello(s, verb, line))
		return;
	smtpd__answer_say(s, SMTPD_REPLY_HELO, s->config->hostname);
	smtpd__answer_lead_with_name(s);
}

/*
 * STARTTLS (RFC 3207, 4): all that it takes is there before 220 is said.  Input
 * that came with it was refused as pipelined where it may not be.
 */
void
smtpd__verb_hello_starttls(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line)
{
	struct smtpd_tls_conn *conn;

	if (s->stream.tls != NULL) {
		smtpd__answer_refuse(s, SYNTAX, SMTPD_REPLY_TLS_ACTIVE, NULL);
		return;
	}
	if (!smtpd__handlers_allow_line(s, verb, line))
		return;
	conn = smtpd__session_tls_prepare(s);
	if (conn == NULL) {
		smtpd__answer_refuse(
		    s, SMTPD_COUNTER_REFUSED_TLS, SMTPD_REPLY_NO_TLS, NULL);
		return;
	}
	smtpd__answer_say(s, SMTPD_REPLY_READY_FOR_TLS, NULL);
	smtpd__answer_send(s);
	smtpd__session_tls_start(s, conn);
}
