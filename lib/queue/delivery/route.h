/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ROUTE_H
#define SMTPD_QUEUE_DELIVERY_ROUTE_H

/*
 * Where the mail of a domain goes: to the hosts that the DNS names, or to the
 * targets of a route; and the policy of TLS for it.
 */

#include <smtpd/queue.h>

#include "base/text.h"
#include "client/tls_policy.h"
#include "policy/sts.h"
#include "queue/delivery/host_policy.h"
#include "queue/delivery/route_table.h"

/* The state that all look-ups share: any number of threads may use one at a
 * time. */
struct smtpd_router;

/*
 * Make one from what SETTINGS say of hostname, resolver, rules, port, routes,
 * smarthost and the client's security and trust.  All that is needed is copied.
 * Return NULL with the reason in ERROR of SIZE bytes.
 */
struct smtpd_router *smtpd__route_router_create(
    const struct smtpd_queue_settings *settings, char *error, size_t size);
void smtpd__route_router_destroy(struct smtpd_router *r);

/* Routes that are looked up from now on are under policies with TRUST, to which
 * R takes a reference; those that R has found are not current any more. */
void smtpd__route_set_trust(struct smtpd_router *r, struct smtpd_trust *trust);

/* Ask STS for the policies of domains from now on; it must live as long as R.
 * Before any look-up. */
void smtpd__route_set_sts(struct smtpd_router *r, struct smtpd_sts *sts);

/* Use ROUTES, COUNT of them, and the smarthost of the settings, from now on.
 * Return 0, or -1 with errno and the reason in ERROR of SIZE bytes. */
int smtpd__route_set_routes(struct smtpd_router *r,
    const struct smtpd_route *routes, size_t count, char *error, size_t size);

/* A reference to the table in use. */
struct smtpd_route_table *smtpd__route_table(struct smtpd_router *r);

/* One target of a route, which was found. */
struct smtpd_route_hop {
	struct smtpd_targets *targets;
	uint16_t port;
	struct smtpd_tls_policy policy;      /* with a reference to its trust */
	struct smtpd_sts_found sts;          /* what the domain publishes */
	struct smtpd_host_policies policies; /* of hosts with another one */

	/* The table's target, and its id: a connection serves hops of one id
	 * only.  NULL, 0: the hosts of the domain, as the settings have it. */
	const struct smtpd_table_target *target;
	uint64_t id;
};

struct smtpd_found_route {
	enum smtpd_resolve_outcome outcome;
	struct smtpd_result why; /* when it is not FOUND: of the recipients */

	/* In turn, those that were found; none where it is local. */
	struct smtpd_route_hop hops[SMTPD_ROUTE_TARGETS_MAX];
	size_t nhops;
	uint32_t ttl_s;  /* how long this holds */
	bool unanswered; /* none was found, as no DNS server answered */
	bool answered;   /* a DNS server answered, now */

	/* The table, to which it has a reference, and the entry there; NULL:
	 * the hosts of the domain. */
	struct smtpd_route_table *table;
	const struct smtpd_route_entry *entry;

	/*
	 * The site: the key of the entry; and, when some were found by the
	 * domain, the names of its mail hosts by preference, equal ones in
	 * alphabetical order, and of those that its MTA-STS policy does not
	 * list once more: what goes over a host for another domain must not go
	 * there for this one.  Each id of a policy that is not "opportunistic"
	 * follows, and what tells hosts with policies of their own: a
	 * certificate failure under one domain's policy must not suspend the
	 * site for others.  NULL: nothing was found, and there is no entry.
	 */
	char *site;
};

/*
 * Look up the way of mail to DOMAIN that has the route ENTRY of TABLE, or, if
 * that is NULL, goes to the hosts of DOMAIN; these are looked up, or the
 * targets of ENTRY, for which DOMAIN only chooses the policy.  An entry whose
 * targets are not found is LATER, but one that is an error NEVER.  Each answer
 * of the DNS is added to HISTORY, in one line.  Return 0, or -1 without memory,
 * which is LATER too; the route is to be finished in any case.
 */
int smtpd__route_find(struct smtpd_router *r, struct smtpd_route_table *table,
    const struct smtpd_route_entry *entry, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_found_route *route,
    struct smtpd_text *history);

/* Whether the servers that R asks validate.  Blocks. */
enum smtpd_dnssec smtpd__route_dnssec(
    struct smtpd_router *r, const struct smtpd_cancel *cancel);

/* Whether ROUTE, which R found, would still have the same policy and table. */
bool smtpd__route_is_current(
    struct smtpd_router *r, const struct smtpd_found_route *route);

void smtpd__route_finish(struct smtpd_found_route *route);

#endif
