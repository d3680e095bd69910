/* SPDX-License-Identifier: MIT */
#include "queue/delivery/sender_policy.h"

bool
smtpd__sender_policy_differs(const struct smtpd_outgoing_envelope *e)
{
	return e->requiretls || e->tls_optional;
}

/* Whether the names of hosts under P, or in HOP, come from somebody who may say
 * so: the operator, or the domain, by a secure answer of the DNS or by MTA-STS
 * (RFC 8689, 4.2.1). */
static bool
is_vouched_for(
    const struct smtpd_route_hop *hop, const struct smtpd_tls_policy *p)
{
	return hop->id != 0 || p->nnames > 0 || hop->targets->authenticated ||
	    p->source == SMTPD_TLS_SOURCE_DANE ||
	    (p->source == SMTPD_TLS_SOURCE_STS && !p->testing);
}

/* REQUIRETLS: a certificate is looked at in any case, a socket of this host
 * alone needs none. */
static int
demand_more(
    const struct smtpd_agent_host *host, struct smtpd_tls_policy *policy)
{
	if (host->targets->host[0] == '/')
		return 0;
	if (policy->level == SMTPD_SECURITY_NONE ||
	    !is_vouched_for(host->hop, policy))
		return -1;
	if (policy->tlsa != NULL && !policy->testing)
		return 0;
	policy->level = SMTPD_SECURITY_REQUIRED;
	policy->testing = false;
	policy->reason = "the sender (REQUIRETLS)";
	smtpd__tls_policy_identify(policy);
	return 0;
}

/* TLS-Required: No (RFC 8689, 4.2.2): what the operator wants holds. */
static void
demand_less(struct smtpd_tls_policy *policy)
{
	if (policy->source == SMTPD_TLS_SOURCE_LOCAL)
		return;
	*policy = (struct smtpd_tls_policy){
		.level = SMTPD_SECURITY_OPPORTUNISTIC,
		.trust = policy->trust,
		.reason = "the sender (TLS-Required: No)",
	};
	smtpd__tls_policy_identify(policy);
}

int
smtpd__sender_policy_apply(const struct smtpd_outgoing_envelope *e,
    const struct smtpd_agent_host *host, const struct smtpd_tls_policy *p,
    struct smtpd_tls_policy *out)
{
	*out = *p;
	if (e->requiretls)
		return demand_more(host, out);
	if (e->tls_optional)
		demand_less(out);
	return 0;
}
