/* SPDX-License-Identifier: MIT */
#include "server/transaction.h"

#include <smtpd/address.h>

#include <string.h>

#include "base/text.h"
#include "os/id_source.h"

/* The room for recipients of an envelope at first. */
#define RCPTS_ROOM 4

void
smtpd__transaction_open(struct smtpd_session *s)
{
	memset(&s->envelope, 0, sizeof(s->envelope));
	memset(&s->rcpts, 0, sizeof(s->rcpts));
	smtpd__id_write(smtpd__id_source_next(), s->envelope_id);
	s->envelope.id = s->envelope_id;
	s->envelope.rcpts = &s->rcpts;
	s->rcpts_refused = 0;
	s->open = true;
}

/* Make room for one recipient more.  The old list stays in the arena. */
static int
grow_list(struct smtpd_session *s)
{
	struct smtpd_rcpts *r = &s->rcpts;
	size_t room = r->room == 0 ? RCPTS_ROOM : r->room * 2;
	struct smtpd_rcpt *list =
	    smtpd__arena_alloc(&s->arena, room * sizeof(*list));
	struct smtpd_rcpt_reply *replies =
	    smtpd__arena_alloc(&s->arena, room * sizeof(*replies));

	if (list == NULL || replies == NULL)
		return -1;
	if (s->envelope.nrcpts > 0)
		memcpy(list, r->list, s->envelope.nrcpts * sizeof(*list));
	memset(replies, 0, room * sizeof(*replies));
	r->list = list;
	r->replies = replies;
	r->room = room;
	return 0;
}

/* The octets of RCPT's address and parameters. */
static size_t
measure_rcpt(const struct smtpd_rcpt *rcpt)
{
	size_t size = strlen(rcpt->address.text);

	for (size_t i = 0; i < smtpd_params_count(rcpt->params); i++) {
		const struct smtpd_param *p = smtpd_params_get(rcpt->params, i);

		size +=
		    strlen(p->name) + (p->value != NULL ? strlen(p->value) : 0);
	}
	return size;
}

int
smtpd__transaction_add(struct smtpd_session *s, const struct smtpd_rcpt *rcpt)
{
	if (s->envelope.nrcpts == s->rcpts.room && grow_list(s) == -1)
		return -1;
	s->rcpts.list[s->envelope.nrcpts++] = *rcpt;
	s->envelope.rcpts_size += measure_rcpt(rcpt);
	return 0;
}

const struct smtpd_rcpt *
smtpd_envelope_rcpt(const struct smtpd_envelope *e, size_t i)
{
	return i < e->nrcpts ? &e->rcpts->list[i] : NULL;
}

int
smtpd_envelope_code(const struct smtpd_envelope *e, size_t i)
{
	return i < e->nrcpts ? e->rcpts->replies[i].code : 0;
}

/* A line for each transaction, unless the program has one. */
static void
log_end(const struct smtpd_session *s, enum smtpd_end how, int code)
{
	static const char *const ends[] = {
		[SMTPD_END_DELIVERED] = "delivered",
		[SMTPD_END_REFUSED] = "refused",
		[SMTPD_END_RESET] = "reset",
		[SMTPD_END_CLOSED] = "closed",
	};
	const struct smtpd_envelope *e = &s->envelope;
	const struct smtpd_rcpt *rcpt = smtpd_envelope_rcpt(e, 0);
	const char *address = smtpd_session_xforward(s, "ADDR");
	char from[SMTPD_MAILBOX_SIZE], to[SMTPD_MAILBOX_SIZE];
	char origin[SMTPD_ATTRIBUTE_SIZE];

	if ((s->config->settings.flags & SMTPD_FLAG_NO_TRANSACTION_LOG) != 0 ||
	    !smtpd__logger_wants(&s->config->logger, SMTPD_LOG_INFO))
		return;
	smtpd__logger_write(&s->config->logger, SMTPD_LOG_INFO,
	    "transaction session=%llu id=%s peer=%s%s%s from=<%s> to=<%s> "
	    "nrcpt=%zu size=%llu code=%d end=%s",
	    (unsigned long long)s->id, e->id, s->peer_text,
	    address != NULL ? " origin=" : "",
	    address != NULL ? smtpd__text_value(address, origin, sizeof(origin))
			    : "",
	    smtpd_address_escape(e->sender.text, from, sizeof(from)),
	    smtpd_address_escape(
		rcpt != NULL ? rcpt->address.text : "", to, sizeof(to)),
	    e->nrcpts, (unsigned long long)s->envelope.octets, code, ends[how]);
}

void
smtpd__transaction_end(struct smtpd_session *s, enum smtpd_end how, int code)
{
	bool accepted = (s->state & (SMTPD_STATE_MAIL | SMTPD_STATE_RCPT)) != 0;

	if (accepted) {
		log_end(s, how, code);
		smtpd__events_transaction_end(s, how, code);
	}
	if (how != SMTPD_END_CLOSED)
		smtpd__told_forget_message(s);
	if (!s->open)
		return;
	smtpd__owned_clear(&s->transaction_own);
	smtpd__arena_reset(&s->arena);
	s->open = false;
	if (accepted)
		s->state = SMTPD_STATE_HELLO;
	smtpd__session_count_bytes(s);
}

void
smtpd__transaction_start_over(struct smtpd_session *s)
{
	smtpd__transaction_end(s, SMTPD_END_RESET, 0);
	s->helo[0] = '\0';
	s->esmtp = false;
	s->state = SMTPD_STATE_START;
}

const struct smtpd_envelope *
smtpd_session_envelope(const struct smtpd_session *s)
{
	return s->open ? &s->envelope : NULL;
}

void
smtpd_session_set_transaction_data(
    struct smtpd_session *s, void *data, void (*destroy)(void *))
{
	smtpd__owned_set(&s->transaction_own, data, destroy);
	if (!s->open)
		smtpd__owned_clear(&s->transaction_own);
}

void *
smtpd_session_transaction_data(const struct smtpd_session *s)
{
	return s->transaction_own.data;
}
