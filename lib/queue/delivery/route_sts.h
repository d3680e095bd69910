/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_ROUTE_STS_H
#define SMTPD_QUEUE_DELIVERY_ROUTE_STS_H

/*
 * What the MTA-STS policy of a domain means for the way of its mail (RFC 8461,
 * 4.1; RFC 8461, 5).
 */

#include "queue/delivery/route.h"

/*
 * Find what DOMAIN publishes, to which HOP leads, and let it have its way in
 * the policy of HOP: TLS by a certificate that is good for the host, or in
 * testing a look at whether it is.  An operator who wants more, or none, is
 * obeyed.  STS may be NULL.
 */
void smtpd__route_sts_apply(struct smtpd_sts *sts, const char *domain,
    const struct smtpd_cancel *cancel, struct smtpd_route_hop *hop,
    struct smtpd_text *history);

/* Mail to DOMAIN did not go out over ROUTE: if that may be for its policy, have
 * STS look for a new one (RFC 8461, 5.1). */
void smtpd__route_sts_doubt(struct smtpd_sts *sts, const char *domain,
    const struct smtpd_found_route *route);

/* Whether HOST is none to which mail over HOP may go, as the policy does not
 * list it. */
bool smtpd__route_sts_refuses(
    const struct smtpd_route_hop *hop, const char *host);

/* Append those that are, to the name of a site. */
void smtpd__route_sts_name_refused(
    const struct smtpd_route_hop *hop, struct smtpd_text *name);

#endif
