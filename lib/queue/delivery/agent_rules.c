/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_rules.h"

#include <stdlib.h>
#include <string.h>

#include "client/result.h"

/* A recipient that was deferred is tried at one host more. */
#define DEFERRED_MAX 2

bool
smtpd__agent_rules_is_cancelled(const struct smtpd_agent_attempt *t)
{
	return smtpd_cancel_is_triggered(t->agent->set->client->cancel);
}

bool
smtpd__agent_rules_is_own(
    const struct smtpd_agent_attempt *t, const struct smtpd_result *r)
{
	return smtpd__agent_rules_is_cancelled(t) ||
	    (r->code == 0 && strncmp(r->status, "4.3.", 4) == 0);
}

void
smtpd__agent_rules_soften(struct smtpd_result *r)
{
	r->outcome = SMTPD_OUTCOME_TEMPORARY;
	r->status[0] = '4';
}

bool
smtpd__agent_rules_is_pending(const struct smtpd_rcpt_state *r)
{
	return !r->finished && r->deferred < DEFERRED_MAX;
}

void
smtpd__agent_rules_judge(struct smtpd_agent_attempt *t,
    enum smtpd_site_feedback feedback, const char *host,
    const struct smtpd_result *result)
{
	struct smtpd_delivery_result *end = t->end;

	if (feedback == SMTPD_SITE_DOWN && t->spoke)
		return;
	t->spoke = feedback != SMTPD_SITE_DOWN;
	end->feedback = feedback;
	if (feedback == SMTPD_SITE_FINE)
		return;
	smtpd__result_set(&end->why, SMTPD_OUTCOME_TEMPORARY, result->phase,
	    result->status, "%s: %s", host, result->text);
	end->why.code = result->code;
	smtpd__agent_rules_soften(&end->why);
}

void
smtpd__agent_rules_quit(struct smtpd_agent *a)
{
	if (a->client != NULL)
		smtpd_client_quit(a->client);
	free(a->site);
	a->site = NULL;
}
