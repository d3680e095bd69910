/* SPDX-License-Identifier: MIT */
#include "server/verb_xclient.h"

#include <stdlib.h>
#include <string.h>

#include "server/answer.h"
#include "server/greeting.h"
#include "server/handlers.h"
#include "server/session_peer.h"
#include "server/told.h"
#include "server/transaction.h"

#define SYNTAX SMTPD_COUNTER_REFUSED_SYNTAX

/* What each takes, as it is announced. */
static const char xclient_takes[] =
    "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
static const char xforward_takes[] = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

/* Whether all that is said in A is among the words of TAKEN. */
static bool
is_taken(const struct smtpd_attributes *a, const char *taken)
{
	bool known[SMTPD_ATTRIBUTES] = { false };

	while (*taken != '\0') {
		size_t len = strcspn(taken, " ");

		known[smtpd__attributes_find(taken, len)] = true;
		taken += len + strspn(taken + len, " ");
	}
	for (size_t i = 0; i < SMTPD_ATTRIBUTES; i++) {
		if (a->said[i] && !known[i])
			return false;
	}
	return true;
}

/* Whether ADDR and DESTADDR of A are addresses, where they are there. */
static bool
has_addresses(const struct smtpd_attributes *a)
{
	const char *addr = a->values[SMTPD_ATTRIBUTE_ADDR];
	const char *dest = a->values[SMTPD_ATTRIBUTE_DESTADDR];
	struct smtpd_sockaddr unused;

	return (addr[0] == '\0' ||
		   smtpd__socket_parse_host(addr, 0, &unused) == 0) &&
	    (dest[0] == '\0' ||
		smtpd__socket_parse_host(dest, 0, &unused) == 0);
}

/* Read what LINE says into OUT, of what is TAKEN; else it is refused. */
static bool
accept_attributes(struct smtpd_session *s, const struct smtpd_verb *verb,
    const struct smtpd_command_line *line, const char *taken,
    struct smtpd_attributes *out)
{
	if ((s->state & (SMTPD_STATE_MAIL | SMTPD_STATE_RCPT)) != 0) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_IN_TRANSACTION, verb->name);
		return false;
	}
	if (smtpd__attributes_parse(line->argument, out) == -1 ||
	    !is_taken(out, taken) || !has_addresses(out)) {
		smtpd__answer_refuse(
		    s, SYNTAX, SMTPD_REPLY_BAD_ATTRIBUTES, verb->name);
		return false;
	}
	return smtpd__handlers_allow_line(s, verb, line);
}

/* Have room for what is told; else the command is refused. */
static bool
has_room(struct smtpd_session *s)
{
	if (smtpd__told_begin(s) == 0)
		return true;
	smtpd__answer_refuse(
	    s, SMTPD_COUNTER_ERRORS, SMTPD_REPLY_NO_MEMORY, NULL);
	return false;
}

/* Find the client whom S->told->xclient and MORE name: the one that connected
 * where there is no address. */
static void
find_client(const struct smtpd_session *s, const struct smtpd_attributes *more,
    struct smtpd_sockaddr *out)
{
	const struct smtpd_attributes *before = &s->told->xclient;
	const char *address = more->said[SMTPD_ATTRIBUTE_ADDR]
	    ? more->values[SMTPD_ATTRIBUTE_ADDR]
	    : before->values[SMTPD_ATTRIBUTE_ADDR];
	const char *port = more->said[SMTPD_ATTRIBUTE_PORT]
	    ? more->values[SMTPD_ATTRIBUTE_PORT]
	    : before->values[SMTPD_ATTRIBUTE_PORT];

	*out = s->told->origin;
	if (address[0] != '\0')
		smtpd__socket_parse_host(
		    address, (uint16_t)strtoul(port, NULL, 10), out);
}

/* Go back to where a session is after connect, but for TLS. */
static void
begin_anew(struct smtpd_session *s)
{
	smtpd__transaction_start_over(s);
	smtpd__session_forget_user(s);
	s->auth_failures = 0;
	s->errors = 0;
	s->errors_passing = 0;
	s->idle_commands = 0;
	s->transactions = 0;
	s->ws->reply.code = 0;
	smtpd__greeting_say(s);
}

void
smtpd__verb_xclient_xclient(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line)
{
	struct smtpd_attributes said;
	struct smtpd_sockaddr client;

	if (!accept_attributes(s, verb, line, xclient_takes, &said) ||
	    !has_room(s))
		return;
	find_client(s, &said, &client);
	smtpd__attributes_merge(&s->told->xclient, &said);
	s->ws->reply.code = 0;
	if (!smtpd__session_peer_change(s, &client))
		return;
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_DEBUG,
	    "xclient session=%llu peer=%s", (unsigned long long)s->id,
	    s->peer_text);
	begin_anew(s);
}

void
smtpd__verb_xclient_xforward(struct smtpd_session *s,
    const struct smtpd_verb *verb, const struct smtpd_command_line *line)
{
	struct smtpd_attributes said;

	if (!accept_attributes(s, verb, line, xforward_takes, &said) ||
	    !has_room(s))
		return;
	smtpd__attributes_merge(&s->told->xforward, &said);
	smtpd__answer_say(s, SMTPD_REPLY_OK, NULL);
}

void
smtpd__verb_xclient_announce(
    const struct smtpd_session *s, struct smtpd_text *t)
{
	if (s->may_tell)
		smtpd__text_format(t, "\nXCLIENT %s\nXFORWARD %s",
		    xclient_takes, xforward_takes);
}
