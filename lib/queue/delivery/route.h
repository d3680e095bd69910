/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ROUTE_H
#define SMTPD_QUEUE_DELIVERY_ROUTE_H

/*
 * Where the mail of a domain goes: to the hosts that the DNS names, or all to
 * a smarthost; and how it is secured.
 */

#include <smtpd/queue.h>

#include "base/text.h"

/* What all look-ups share: any number of threads may use one at a time. */
struct smtpd_router;

/*
 * Make one from what SETTINGS say of hostname, resolver, rules, port, smarthost
 * and the client's security.  All that is needed is copied.  Return NULL with
 * the reason in ERROR of SIZE bytes.
 */
struct smtpd_router *smtpd__router_create(
    const struct smtpd_queue_settings *settings, char *error, size_t size);
void smtpd__router_destroy(struct smtpd_router *r);

struct smtpd_route {
	enum smtpd_resolve_status verdict;
	struct smtpd_result why; /* when it is not FOUND: of the recipients */
	struct smtpd_targets *targets;
	uint16_t port;
	enum smtpd_security security;
	const struct smtpd_smarthost *smarthost; /* NULL: none; the router's */

	/*
	 * The site, when it is FOUND: "smarthost", or the names of the mail
	 * hosts by preference, those of the same in the order of letters.
	 * Where security is not opportunistic its name follows: a certificate
	 * that is not good enough for one domain closes no site for others.
	 */
	char *site;
};

/*
 * Look up DOMAIN; with a smarthost that is looked up instead, and only rules
 * ask for the domain.  A smarthost's name that leads nowhere is always LATER.
 * With AUTH TLS is required, whatever the rules say.  What the DNS said is
 * added to TRAIL, in one line.  Return 0, or -1 without memory, which is LATER
 * too; the route is to be finished in any case.
 */
int smtpd__route_find(struct smtpd_router *r, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_route *route,
    struct smtpd_text *history);
void smtpd__route_finish(struct smtpd_route *route);

#endif
