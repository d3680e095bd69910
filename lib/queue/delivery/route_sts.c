/* SPDX-License-Identifier: MIT */
#include "queue/delivery/route_sts.h"

#include <string.h>

#include "os/clock.h"
#include "queue/delivery/history.h"
#include "resolve/hostname.h"

static void
find_policy(struct smtpd_sts *sts, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_route_hop *hop,
    struct smtpd_text *history)
{
	struct smtpd_sts_found *found = &hop->sts;
	char name[SMTPD_DNS_HOST_MAX];

	if (sts == NULL || *domain == '[' ||
	    smtpd__hostname_normalise(domain, name) == -1)
		return;
	smtpd__sts_find(
	    sts, name, cancel, smtpd__clock_wall_ms() / 1000, found);
	if (found->text != NULL)
		smtpd__history_add(history, "MTA-STS %s: %s, id %s", name,
		    smtpd__sts_policy_word(found->policy.mode), found->id);
	else if (found->failure != SMTPD_TLS_FAILURE_NONE)
		smtpd__history_add(history, "MTA-STS %s: none, %s", name,
		    smtpd__tls_policy_failure(found->failure));
}

static void
apply_policy(
    const struct smtpd_sts_found *found, struct smtpd_tls_policy *policy)
{
	if (found->policy.mode == SMTPD_STS_NONE ||
	    policy->level == SMTPD_SECURITY_NONE ||
	    policy->level == SMTPD_SECURITY_REQUIRED)
		return;
	policy->testing = found->policy.mode == SMTPD_STS_TESTING;
	/* What the operator demands of all is not only looked at. */
	if (policy->testing && policy->level != SMTPD_SECURITY_OPPORTUNISTIC) {
		policy->testing = false;
		return;
	}
	policy->level = SMTPD_SECURITY_REQUIRED;
	policy->source = SMTPD_TLS_SOURCE_STS;
	policy->reason = "the domain's MTA-STS policy";
}

void
smtpd__route_sts_apply(struct smtpd_sts *sts, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_route_hop *hop,
    struct smtpd_text *history)
{
	find_policy(sts, domain, cancel, hop, history);
	apply_policy(&hop->sts, &hop->policy);
	smtpd__tls_policy_identify(&hop->policy);
}

void
smtpd__route_sts_doubt(struct smtpd_sts *sts, const char *domain,
    const struct smtpd_found_route *route)
{
	char name[SMTPD_DNS_HOST_MAX];

	if (sts == NULL || route->nhops == 0 ||
	    route->hops[0].policy.source != SMTPD_TLS_SOURCE_STS ||
	    smtpd__hostname_normalise(domain, name) == -1)
		return;
	smtpd__sts_doubt(sts, name, smtpd__clock_wall_ms() / 1000);
}

bool
smtpd__route_sts_refuses(const struct smtpd_route_hop *hop, const char *host)
{
	return hop->policy.source == SMTPD_TLS_SOURCE_STS &&
	    !hop->policy.testing &&
	    !smtpd__sts_policy_allows(&hop->sts.policy, host);
}

void
smtpd__route_sts_name_refused(
    const struct smtpd_route_hop *hop, struct smtpd_text *name)
{
	const struct smtpd_target *target;
	const char *last = "";

	for (size_t i = 0;
	    (target = smtpd_targets_get(hop->targets, i)) != NULL; i++) {
		if (strcmp(target->host, last) == 0 ||
		    !smtpd__route_sts_refuses(hop, target->host))
			continue;
		smtpd__text_format(name, "%s%s",
		    *last == '\0' ? " without " : ",", target->host);
		last = target->host;
	}
}
