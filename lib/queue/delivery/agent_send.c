/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_send.h"

#include <string.h>

#include "client/exchange.h"
#include "client/result.h"
#include "client/transaction.h"
#include "os/clock.h"
#include "queue/delivery/agent_mail.h"
#include "queue/delivery/history.h"
#include "queue/delivery/throttle.h"

/* A connection that was not used for so long may be closed for that. */
#define IDLE_MS 2000

/* Whether a connection that had served others was closed by then, because the
 * server was tired of waiting.  What the client refused does not count. */
static bool
is_stale(const struct smtpd_agent_attempt *t, size_t count)
{
	if (smtpd_cancel_is_triggered(t->cancel))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct smtpd_result *r =
		    smtpd_client_rcpt_result(t->agent->client, i);

		if (r->outcome == SMTPD_OUTCOME_PERMANENT && r->code == 0)
			continue;
		if (r->outcome != SMTPD_OUTCOME_TEMPORARY ||
		    r->phase != SMTPD_PHASE_MAIL ||
		    smtpd__agent_state_is_own(t, r) ||
		    (r->code != 0 && r->code != 421))
			return false;
	}
	return true;
}

/* The host deferred the recipient of STATE with R.  Another host of the same
 * hop may take it, unless R speaks for them all. */
static void
count_deferral(struct smtpd_agent_attempt *t, struct smtpd_rcpt_state *state,
    const struct smtpd_result *r)
{
	uint8_t *count = &state->put_off[t->hop];

	state->deferred++;
	++*count;
	if (smtpd__throttle_read(r) == SMTPD_THROTTLE_SURE)
		*count = SMTPD_AGENT_DEFERRALS;
}

static void
record_result(
    struct smtpd_agent_attempt *t, size_t place, const struct smtpd_result *r)
{
	struct smtpd_rcpt_state *state = &t->rcpt_states[place];
	struct smtpd_rcpt_progress *p = &t->request->rcpts[place];

	if (smtpd__agent_state_is_lack(r)) {
		state->lacking++;
		/* The host that deferred it may take it yet. */
		if (state->deferred > 0)
			return;
	}
	p->result = *r;
	if (r->outcome == SMTPD_OUTCOME_TEMPORARY)
		smtpd__agent_state_soften(&p->result);
	memcpy(p->host, t->agent->relay.host, sizeof(p->host));
	state->has_result = true;
	state->relay = (uint8_t)(SMTPD_RELAY_FAILED + t->sessions);
	switch (r->outcome) {
	case SMTPD_OUTCOME_SENT:
		/* RFC 3461, 5.2.3 */
		p->delivered = t->agent->lmtp;
		t->sent = true;
		t->untold = true;
		state->finished = true;
		break;
	case SMTPD_OUTCOME_PERMANENT:
		state->finished = !smtpd__agent_state_is_lack(r);
		break;
	case SMTPD_OUTCOME_IN_DOUBT:
		state->finished = true;
		break;
	case SMTPD_OUTCOME_TEMPORARY:
		smtpd__agent_state_note_sign(t, r);
		if (r->code != 0 && r->code != 421)
			count_deferral(t, state, r);
		if (smtpd__agent_state_is_own(t, r))
			t->over = true;
		break;
	}
	smtpd__history_add_result(t->request->history,
	    t->request->loaded->envelope.rcpts[p->rcpt].address, &p->result,
	    p->host);
}

/* The connection was closed.  Nothing was sent yet for the recipients from
 * PLACE on, and those left over: for them that is all, also if another's reply
 * to the dot was lost. */
static void
record_loss(struct smtpd_agent_attempt *t, size_t place)
{
	struct smtpd_agent *a = t->agent;
	struct smtpd_result why = *smtpd_client_result(a->client);

	smtpd__agent_state_soften(&why);
	for (size_t i = 0; i < t->request->nrcpts; i++) {
		struct smtpd_rcpt_state *state = &t->rcpt_states[i];

		if (smtpd__agent_state_is_waiting(t, i) &&
		    (i >= place || state->left_over))
			record_result(t, i, &why);
		state->left_over = false;
	}
	if (why.code == 421 && !smtpd_cancel_is_triggered(t->cancel))
		smtpd__agent_state_judge(
		    t, SMTPD_SITE_BUSY, a->relay.host, &why);
	smtpd__agent_state_quit(a);
}

/*
 * Record the results of a transaction, and what the host does not know.
 * Recipients that were too many for it are left over for another one (RFC 5321,
 * 4.5.3.1.10) if it took some: as many at a time.  Return true if there are
 * any.
 */
static bool
record_results(struct smtpd_agent_attempt *t, size_t count)
{
	struct smtpd_agent *a = t->agent;
	bool left_over = false;
	uint64_t now = smtpd__clock_ms();
	size_t sent = 0;

	if (smtpd__client_transaction_group_lost(a->client))
		smtpd__hoststat_note(
		    a->set->hosts, &a->peer, SMTPD_HOST_NO_GROUPS, now);
	if (smtpd__client_transaction_bdat_refused(a->client))
		smtpd__hoststat_note(
		    a->set->hosts, &a->peer, SMTPD_HOST_NO_BDAT, now);
	for (size_t i = 0; i < count; i++)
		sent += smtpd_client_rcpt_result(a->client, i)->outcome ==
		    SMTPD_OUTCOME_SENT;
	if (sent > 0)
		smtpd__agent_state_log_conversion(t);
	if (sent > 0 && !a->dsn)
		t->without_dsn = true;
	for (size_t i = 0; i < count; i++) {
		const struct smtpd_result *r =
		    smtpd_client_rcpt_result(a->client, i);

		if (sent > 0 && smtpd__result_is_too_many(r)) {
			a->rcpts_max = sent;
			t->rcpt_states[a->mail->places[i]].left_over = true;
			left_over = true;
		} else {
			record_result(t, a->mail->places[i], r);
		}
	}
	return left_over;
}

/* The host takes no more messages over this connection, which was closed.  The
 * recipients from PLACE on are left over, if there are any. */
static int
leave_rest(struct smtpd_agent_attempt *t, size_t place)
{
	int result = 0;

	for (size_t i = 0; i < t->request->nrcpts; i++) {
		struct smtpd_rcpt_state *state = &t->rcpt_states[i];

		state->left_over = state->left_over ||
		    (i >= place && smtpd__agent_state_is_waiting(t, i));
		if (state->left_over)
			result = -1;
	}
	smtpd__agent_state_quit(t->agent);
	return result;
}

/* Whether something is to be sent yet: to the recipients from PLACE on, or to
 * those left over. */
static bool
is_pending(const struct smtpd_agent_attempt *t, size_t place)
{
	for (size_t i = 0; i < t->request->nrcpts; i++)
		if (t->rcpt_states[i].left_over ||
		    (i >= place && smtpd__agent_state_is_waiting(t, i)))
			return true;
	return false;
}

static bool
has_left_over(const struct smtpd_agent_attempt *t)
{
	return is_pending(t, t->request->nrcpts);
}

/* The host has replied, over a connection that was REUSED, or that goes ON with
 * what was left over. */
static void
note_host(struct smtpd_agent_attempt *t, bool reused, bool on)
{
	struct smtpd_agent *a = t->agent;

	if (reused)
		smtpd__agent_state_log_relay(t, true);
	if (!on) {
		t->sessions++;
		t->hop_sessions[t->hop]++;
	}
	t->relays[SMTPD_RELAY_FAILED + t->sessions] = a->relay;
	smtpd__agent_state_judge(t, SMTPD_SITE_FINE, a->relay.host, NULL);
}

/* The host closed the connection when one more transaction was begun, though it
 * had no reason to be tired of waiting: remember after how many. */
static void
note_full(struct smtpd_agent_attempt *t)
{
	const struct smtpd_agent *a = t->agent;
	const struct smtpd_result *r = smtpd_client_result(a->client);

	if (a->mails > 1 && r->code == 421 && r->phase == SMTPD_PHASE_MAIL &&
	    smtpd__clock_ms() - a->used < IDLE_MS &&
	    smtpd__throttle_read(r) != SMTPD_THROTTLE_SURE)
		t->end->signs.full_at = a->mails - 1;
}

int
smtpd__agent_send(struct smtpd_agent_attempt *t, bool reused)
{
	struct smtpd_agent *a = t->agent;
	const bool on = has_left_over(t);
	bool begun = false, left_over = false, again = on;
	size_t place = 0, n;

	for (;;) {
		int status;

		if (begun && smtpd__agent_state_is_full(a) &&
		    is_pending(t, again ? t->request->nrcpts : place))
			return leave_rest(
			    t, again ? t->request->nrcpts : place);
		n = smtpd__agent_mail_choose(t, &place, again);
		if (n == 0 && !left_over)
			return 0;
		if (n == 0) {
			/* Once more from the first one. */
			place = 0;
			again = true;
			left_over = false;
			continue;
		}
		smtpd__agent_state_tell_sent(t);
		a->requests += !begun;
		status = smtpd__agent_mail_send(
		    t, !is_pending(t, again ? t->request->nrcpts : place));
		if (status == -1)
			note_full(t);
		a->used = smtpd__clock_ms();
		if (!begun && reused && status == -1 && is_stale(t, n)) {
			smtpd__agent_state_quit(a);
			return -1;
		}
		if (!begun)
			note_host(t, reused, on);
		begun = true;
		left_over = record_results(t, n) || left_over;
		if (status == 0)
			continue;
		if (smtpd__client_exchange_is_full(a->client))
			return leave_rest(
			    t, again ? t->request->nrcpts : place);
		record_loss(t, again ? t->request->nrcpts : place);
		return 0;
	}
}
