/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_HOST_POLICY_H
#define SMTPD_QUEUE_DELIVERY_HOST_POLICY_H

/*
 * The policies of the hosts of one hop, where they differ from that of the hop:
 * what their TLSA records demand.  A hop whose policy demands a good
 * certificate, or no TLS, has none.
 */

#include <smtpd/resolve.h>

#include "base/text.h"
#include "client/tls_policy.h"
#include "resolve/dns_message.h"

/* Names that a certificate under an authority may bear: that where the records
 * are, the host's, the domain's. */
#define SMTPD_HOST_POLICY_NAMES 3

struct smtpd_host_policy {
	const char *host; /* of the targets */
	struct smtpd_tls_policy policy;

	/* What it points to. */
	struct smtpd_tlsa_set *set;
	char base[SMTPD_DNS_HOST_MAX];
	char domain[SMTPD_DNS_HOST_MAX];
	const char *names[SMTPD_HOST_POLICY_NAMES];
	char reason[512];
};

struct smtpd_host_policies {
	struct smtpd_host_policy *list;
	size_t count;
	uint32_t ttl_s; /* how long they hold */
};

/* What is looked up. */
struct smtpd_host_policy_query {
	struct smtpd_resolver *resolver;
	const struct smtpd_targets *targets; /* FOUND */
	uint16_t port;
	const char *domain; /* whose MX lead there; NULL: the operator does */
	const struct smtpd_tls_policy *base; /* of the hop */
	const struct smtpd_cancel *cancel;
};

/*
 * Look up the policies of the hosts of Q, of which there are none below an MX
 * that is not secure, and tell HISTORY of each in a line.  Return 0, or -1
 * without memory; OUT is to be freed in any case.
 */
int smtpd__host_policy_find(const struct smtpd_host_policy_query *q,
    struct smtpd_host_policies *out, struct smtpd_text *history);

/* That of HOST, or FALLBACK. */
const struct smtpd_tls_policy *smtpd__host_policy_of(
    const struct smtpd_host_policies *policies, const char *host,
    const struct smtpd_tls_policy *fallback);

/* Append what tells the site of hosts with POLICIES from one without; nothing
 * if there are none. */
void smtpd__host_policy_name(
    const struct smtpd_host_policies *policies, struct smtpd_text *site);

void smtpd__host_policy_free(struct smtpd_host_policies *policies);

#endif
