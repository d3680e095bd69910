/* SPDX-License-Identifier: MIT */
#include "queue/delivery/host_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "queue/delivery/history.h"
#include "resolve/dane.h"
#include "resolve/hostname.h"

/* Whether TLSA records may demand more than P does, which the operator made. */
static bool
may_demand_more(const struct smtpd_tls_policy *p)
{
	return p->level == SMTPD_SECURITY_OPPORTUNISTIC ||
	    p->level == SMTPD_SECURITY_ENCRYPTED;
}

/* Whether TARGET is a host that has a name, found by the DNS as Q wants it:
 * what an operator named may stand in a file of this host. */
static bool
may_have_records(
    const struct smtpd_host_policy_query *q, const struct smtpd_target *target)
{
	if (target->host[0] == '[' || target->host[0] == '/')
		return false;
	return q->domain != NULL || target->authenticated;
}

/* The host is passed over until its records can be looked up. */
static void
refuse_host(struct smtpd_host_policy *h, const struct smtpd_dane *found)
{
	struct smtpd_text t;

	smtpd__text_init(&t, h->reason, sizeof(h->reason));
	smtpd__text_add(&t, found->reason);
	h->policy.refused = h->reason;
	h->policy.refusal = found->bogus ? SMTPD_TLS_FAILURE_DNSSEC_INVALID
					 : SMTPD_TLS_FAILURE_VALIDATION;
}

/* The certificate must match the records, or bear one of the names that RFC
 * 7672, 3.2.2 lists below an authority. */
static void
demand_records(const struct smtpd_host_policy_query *q,
    struct smtpd_host_policy *h, struct smtpd_dane *found)
{
	struct smtpd_tls_policy *p = &h->policy;

	h->set = found->set;
	memcpy(h->base, found->base, sizeof(h->base));
	p->ttl_s = found->ttl_s;
	smtpd__tls_policy_demand_dane(p, h->set);
	if (p->tlsa == NULL)
		return;
	p->server_name = h->base;
	h->names[p->nnames++] = h->base;
	if (strcmp(h->base, h->host) != 0)
		h->names[p->nnames++] = h->host;
	if (q->domain != NULL &&
	    smtpd__hostname_normalise(q->domain, h->domain) == 0)
		h->names[p->nnames++] = h->domain;
	p->names = h->names;
}

static void
tell_history(const struct smtpd_host_policy *h, struct smtpd_text *history)
{
	char line[256];
	struct smtpd_text t;

	smtpd__text_init(&t, line, sizeof(line));
	for (size_t i = 0; i < h->set->count; i++) {
		smtpd__text_add(&t, i > 0 ? ", " : " ");
		smtpd__tlsa_write(&h->set->list[i], &t);
	}
	if (h->set->unusable > 0)
		smtpd__text_format(&t, ", %zu of no use", h->set->unusable);
	smtpd__history_add(history, "TLSA of %s:%s", h->base, line);
}

/* Look up the policy of HOST, and add it to OUT if it is another than that of
 * the hop. */
static int
add_host(const struct smtpd_host_policy_query *q, const char *host,
    struct smtpd_host_policies *out, struct smtpd_text *history)
{
	struct smtpd_host_policy *h = &out->list[out->count];
	struct smtpd_dane found;

	if (smtpd__dane_find(q->resolver, host, q->port, q->cancel, &found) ==
	    -1)
		return -1;
	if (found.ttl_s < out->ttl_s)
		out->ttl_s = found.ttl_s;
	if (found.demand == SMTPD_DANE_NOTHING)
		return 0;
	*h = (struct smtpd_host_policy){ .host = host, .policy = *q->base };
	out->count++;
	if (found.demand == SMTPD_DANE_LATER) {
		refuse_host(h, &found);
		smtpd__history_add(history, "%s: %s", host, h->reason);
	} else {
		demand_records(q, h, &found);
		tell_history(h, history);
	}
	smtpd__tls_policy_identify(&h->policy);
	return 0;
}

int
smtpd__host_policy_find(const struct smtpd_host_policy_query *q,
    struct smtpd_host_policies *out, struct smtpd_text *history)
{
	const struct smtpd_targets *t = q->targets;
	const char *last = "";

	*out = (struct smtpd_host_policies){ .ttl_s = UINT32_MAX };
	if (!may_demand_more(q->base) ||
	    (q->domain != NULL && !t->authenticated))
		return 0;
	out->list = calloc(t->count, sizeof(*out->list));
	if (out->list == NULL)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		const struct smtpd_target *target = smtpd_targets_get(t, i);

		if (!may_have_records(q, target) ||
		    strcmp(target->host, last) == 0)
			continue;
		last = target->host;
		if (add_host(q, last, out, history) == -1)
			return -1;
	}
	return 0;
}

const struct smtpd_tls_policy *
smtpd__host_policy_of(const struct smtpd_host_policies *policies,
    const char *host, const struct smtpd_tls_policy *fallback)
{
	for (size_t i = 0; i < policies->count; i++)
		if (strcmp(policies->list[i].host, host) == 0)
			return &policies->list[i].policy;
	return fallback;
}

/* All ids together would be too long for people. */
void
smtpd__host_policy_name(
    const struct smtpd_host_policies *policies, struct smtpd_text *site)
{
	uint32_t hash = SMTPD_HASH_START;

	if (policies->count == 0)
		return;
	for (size_t i = 0; i < policies->count; i++) {
		hash = smtpd__hash_text(hash, policies->list[i].host);
		hash = smtpd__hash_text(hash, policies->list[i].policy.id);
	}
	smtpd__text_format(site, " dane+%08lx", (unsigned long)hash);
}

void
smtpd__host_policy_free(struct smtpd_host_policies *policies)
{
	for (size_t i = 0; i < policies->count; i++)
		free(policies->list[i].set);
	free(policies->list);
	*policies = (struct smtpd_host_policies){ .list = NULL };
}
