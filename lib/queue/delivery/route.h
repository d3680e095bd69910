/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ROUTE_H
#define SMTPD_QUEUE_DELIVERY_ROUTE_H

/*
 * Where the mail of a domain goes: to the hosts that the DNS names, or all to
 * a smarthost; and the policy of TLS for it.
 */

#include <smtpd/queue.h>

#include "base/text.h"
#include "client/tls_policy.h"

/* The state that all look-ups share: any number of threads may use one at a
 * time. */
struct smtpd_router;

/*
 * Make one from what SETTINGS say of hostname, resolver, rules, port, smarthost
 * and the client's security and trust.  All that is needed is copied.  Return
 * NULL with the reason in ERROR of SIZE bytes.
 */
struct smtpd_router *smtpd__route_router_create(
    const struct smtpd_queue_settings *settings, char *error, size_t size);
void smtpd__route_router_destroy(struct smtpd_router *r);

/* Routes that are looked up from now on are under policies with TRUST, to which
 * R takes a reference; those that R has found are not current any more. */
void smtpd__route_set_trust(struct smtpd_router *r, struct smtpd_trust *trust);

struct smtpd_route {
	enum smtpd_resolve_outcome outcome;
	struct smtpd_result why; /* when it is not FOUND: of the recipients */
	struct smtpd_targets *targets;
	uint16_t port;
	struct smtpd_tls_policy policy; /* with a reference to its trust */
	const struct smtpd_smarthost *smarthost; /* NULL: none; the router's */

	/*
	 * The site: "smarthost", or, when it is FOUND, the names of the mail
	 * hosts by preference, equal ones in alphabetical order.  Unless
	 * that is "opportunistic", the id of the policy follows: a certificate
	 * failure under one domain's policy must not suspend the site for
	 * others.
	 */
	char *site;
};

/*
 * Look up DOMAIN; with a smarthost that is looked up instead, and DOMAIN only
 * chooses the policy.  A smarthost that is not found is always LATER.  The
 * answer of the DNS is added to HISTORY, in one line.  Return 0, or -1 without
 * memory, which is LATER too; the route is to be finished in any case.
 */
int smtpd__route_find(struct smtpd_router *r, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_route *route,
    struct smtpd_text *history);

/* Whether ROUTE, which R found, would still have the same policy. */
bool smtpd__route_is_current(
    struct smtpd_router *r, const struct smtpd_route *route);

void smtpd__route_finish(struct smtpd_route *route);

#endif
