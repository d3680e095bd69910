/* SPDX-License-Identifier: MIT */
#include "client/ahead.h"

#include <stdlib.h>

#include "client/convert.h"
#include "client/envelope.h"
#include "client/exchange.h"
#include "client/outgoing.h"

/* Whether another message may follow X behind its content. */
static bool
may_follow(const struct smtpd_transaction *x)
{
	const struct smtpd_client *c = x->c;

	return x->m->next != NULL && x->pipelining &&
	    x->accepted == x->m->envelope->nrcpts &&
	    (c->limits.mails == 0 || c->mails < c->limits.mails) &&
	    SMTPD_STREAM_OUT_SIZE - c->stream.out_len >= SMTPD_AHEAD_ROOM;
}

/* Put the commands of NEXT, whose results are only needed to know which of its
 * recipients are named. */
static int
write_commands(struct smtpd_transaction *x, const struct smtpd_outgoing *given,
    const struct smtpd_outgoing *next)
{
	struct smtpd_client *c = x->c;
	struct smtpd_result *results =
	    calloc(next->envelope->nrcpts, sizeof(*results));
	struct smtpd_transaction y;
	int status = 0;

	if (results == NULL ||
	    smtpd__client_envelope_check(c, next, results) == 0)
		goto out;
	smtpd__client_commands_begin(&y, c, next, results);
	/* Those to the content come first. */
	c->awaited = c->set.lmtp ? x->accepted : 1;
	if (smtpd__client_commands_write_ahead(&y) == -1)
		status = -1;
	else
		c->ahead = (struct smtpd_client_ahead){ given, y.next };
out:
	free(results);
	return status;
}

int
smtpd__client_ahead_begin(void *user)
{
	struct smtpd_transaction *x = user;
	const struct smtpd_outgoing *given;
	struct smtpd_outgoing_envelope envelope;
	struct smtpd_outgoing next;

	if (!may_follow(x))
		return 0;
	given = x->m->next(x->m->next_user);
	if (given == NULL ||
	    smtpd__client_outgoing_copy(given, &next, &envelope) == -1 ||
	    envelope.nrcpts == 0 ||
	    smtpd__client_convert_is_needed(x->c, &next))
		return 0;
	return write_commands(x, given, &next);
}

bool
smtpd__client_ahead_is_other(
    const struct smtpd_client *c, const struct smtpd_outgoing *m)
{
	return c->ahead.given != NULL && c->ahead.given != m;
}

size_t
smtpd__client_ahead_take(struct smtpd_client *c)
{
	size_t written = c->ahead.given != NULL ? c->ahead.written : 0;

	c->ahead = (struct smtpd_client_ahead){ NULL, 0 };
	return written;
}

int
smtpd__client_ahead_drop(struct smtpd_client *c)
{
	smtpd__client_ahead_take(c);
	while (c->awaited > 0)
		if (smtpd__client_exchange_read_reply(
			c, SMTPD_PHASE_MAIL, c->set.mail_ms, NULL) < 0)
			return -1;
	return 0;
}
