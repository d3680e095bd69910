/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_mail.h"

#include "queue/delivery/agent_hosts.h"
#include "queue/delivery/sender_policy.h"

static ssize_t
read_content(void *user, void *buf, size_t size)
{
	struct smtpd_agent_mail *m = user;
	ssize_t n = smtpd__loaded_message_read(m->loaded, m->at, buf, size);

	if (n > 0)
		m->at += (uint64_t)n;
	return n;
}

static int
rewind_content(void *user)
{
	struct smtpd_agent_mail *m = user;

	m->at = 0;
	return 0;
}

/* Begin M: LOADED, for nobody yet. */
static void
begin_mail(
    struct smtpd_agent_mail *m, const struct smtpd_loaded_message *loaded)
{
	m->loaded = loaded;
	m->at = 0;
	m->envelope = loaded->envelope;
	m->envelope.rcpts = m->rcpts;
	m->envelope.nrcpts = 0;
	m->message = (struct smtpd_outgoing){
		SMTPD_OUTGOING_INIT,
		.envelope = &m->envelope,
		.length = loaded->size,
		.read = read_content,
		.read_user = m,
		.convert = true,
		.rewind = rewind_content,
	};
}

/* Add the recipient at PLACE of REQUEST, whose message M is. */
static void
add_rcpt(struct smtpd_agent_mail *m,
    const struct smtpd_delivery_request *request, size_t place)
{
	const struct smtpd_outgoing_rcpt *rcpts =
	    request->loaded->envelope.rcpts;
	const size_t n = m->envelope.nrcpts++;

	m->rcpts[n] = rcpts[request->rcpts[place].rcpt];
	m->places[n] = place;
}

/* The most recipients of a transaction of REQUEST. */
static size_t
rcpts_limit(
    const struct smtpd_agent *a, const struct smtpd_delivery_request *request)
{
	return request->rcpts_max > 0 && request->rcpts_max < a->rcpts_max
	    ? request->rcpts_max
	    : a->rcpts_max;
}

/* The one that is not the present one. */
static struct smtpd_agent_mail *
other_mail(struct smtpd_agent *a)
{
	return &a->slots[a->mail == &a->slots[0]];
}

size_t
smtpd__agent_mail_choose(
    struct smtpd_agent_attempt *t, size_t *place, bool left_over)
{
	struct smtpd_agent *a = t->agent;
	const struct smtpd_delivery_request *request = t->request;
	const size_t most = rcpts_limit(a, request);

	if (a->ahead == request->loaded) {
		a->mail = other_mail(a);
		a->ahead = NULL;
		*place = a->mail->places[a->mail->envelope.nrcpts - 1] + 1;
		return a->mail->envelope.nrcpts;
	}
	begin_mail(a->mail, request->loaded);
	/* Over a socket nothing leaves this host. */
	if (a->relay.host[0] == '/')
		a->mail->envelope.requiretls = false;
	for (; *place < request->nrcpts && a->mail->envelope.nrcpts < most;
	    ++*place) {
		struct smtpd_rcpt_state *state = &t->rcpt_states[*place];

		if (!smtpd__agent_state_is_waiting(t, *place) ||
		    (left_over && !state->left_over))
			continue;
		state->left_over = false;
		add_rcpt(a->mail, request, *place);
	}
	return a->mail->envelope.nrcpts;
}

/* The next request goes ahead if it will surely go over this connection. */
static const struct smtpd_outgoing *
announce_next(void *user)
{
	struct smtpd_agent_attempt *t = user;
	struct smtpd_agent *a = t->agent;
	struct smtpd_agent_mail *m = other_mail(a);
	const struct smtpd_delivery_request *next;
	size_t most;

	if (!smtpd__agent_state_is_open(a) || smtpd__agent_hosts_others_wait(t))
		return NULL;
	next = t->request->next(t->request->user);
	if (next == NULL || !smtpd__agent_state_is_on_route(a, next) ||
	    smtpd__sender_policy_differs(&next->loaded->envelope))
		return NULL;
	begin_mail(m, next->loaded);
	most = rcpts_limit(a, next);
	for (size_t i = 0; i < next->nrcpts && i < most; i++)
		add_rcpt(m, next, i);
	a->ahead = next->loaded;
	return &m->message;
}

int
smtpd__agent_mail_send(struct smtpd_agent_attempt *t, bool last)
{
	struct smtpd_agent *a = t->agent;
	struct smtpd_outgoing *message = &a->mail->message;

	if (last && t->request->next != NULL) {
		message->next = announce_next;
		message->next_user = t;
	}
	a->mails++;
	t->end->signs.mails++;
	a->eight_bit = smtpd_client_offers(a->client, "8BITMIME") != NULL;
	a->dsn = smtpd_client_offers(a->client, "DSN") != NULL;
	return smtpd_client_send(a->client, message);
}
