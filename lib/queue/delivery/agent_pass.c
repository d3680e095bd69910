/* SPDX-License-Identifier: MIT */
#include "queue/delivery/agent_pass.h"

#include <stdio.h>

#include "client/result.h"
#include "queue/delivery/history.h"
#include "queue/delivery/tls_count.h"

int
smtpd__agent_pass_over(struct smtpd_agent_attempt *t,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *policy)
{
	struct smtpd_relay relay = {
		.port = host->hop->port,
		.tls = "none",
		.wanted = smtpd__tls_policy_wanted(policy),
		.reached = smtpd__tls_policy_reached(SMTPD_TLS_REACHED_NONE),
		.failure = smtpd__tls_policy_failure(policy->refusal),
	};
	struct smtpd_result why;
	struct smtpd_text text;

	smtpd__text_init(&text, relay.host, sizeof(relay.host));
	smtpd__text_add(&text, host->targets->host);
	smtpd__result_set(&why, SMTPD_OUTCOME_TEMPORARY, SMTPD_PHASE_CONNECT,
	    "4.7.5", "not connected to: %s", policy->refused);
	smtpd__agent_state_fail_host(t, &relay, &why);
	smtpd__tls_count_refused(t, host, policy);
	smtpd__agent_state_judge(t, SMTPD_SITE_DOWN, host->targets->host, &why);
	return -1;
}

int
smtpd__agent_pass_unlisted(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	struct smtpd_tls_policy policy = host->hop->policy;
	char reason[SMTPD_HOSTNAME_SIZE + 64];

	snprintf(reason, sizeof(reason),
	    "the domain's MTA-STS policy does not list the host %s",
	    host->targets->host);
	policy.refused = reason;
	policy.refusal = SMTPD_TLS_FAILURE_VALIDATION;
	return smtpd__agent_pass_over(t, host, &policy);
}

int
smtpd__agent_pass_unvouched(
    struct smtpd_agent_attempt *t, const struct smtpd_agent_host *host)
{
	const struct smtpd_delivery_request *request = t->request;
	struct smtpd_result why;

	smtpd__result_set(&why, SMTPD_OUTCOME_PERMANENT, SMTPD_PHASE_TLS,
	    "5.7.30",
	    "REQUIRETLS: neither DNSSEC nor MTA-STS vouches for the host %s",
	    host->targets->host);
	smtpd__history_add_result(
	    request->history, host->targets->host, &why, NULL);
	for (size_t i = 0; i < request->nrcpts; i++) {
		struct smtpd_rcpt_state *state = &t->rcpt_states[i];

		state->lacking++;
		if (!state->finished && state->deferred == 0)
			request->rcpts[i].result = why;
	}
	smtpd__agent_state_judge(t, SMTPD_SITE_FINE, host->targets->host, NULL);
	return -1;
}
