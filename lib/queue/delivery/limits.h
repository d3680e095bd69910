/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_DELIVERY_LIMITS_H
#define SMTPD_QUEUE_DELIVERY_LIMITS_H

/*
 * The limits that the program gives to sites.
 */

#include <smtpd/queue.h>

#include "queue/delivery/route.h"
#include "queue/schedule/shaping.h"

/*
 * Ask FN, if it is not NULL, for the limits of the site that ROUTE, which is
 * FOUND, leads DOMAIN to.  Where there are any, they are added to the name of
 * the site: what is limited in another way is another site.  Return 0, or -1
 * without memory.
 */
int smtpd__limits_ask(smtpd_limits_fn *fn, void *user, const char *domain,
    struct smtpd_found_route *route, struct smtpd_shaping_limits *out);

/* Whether there are any. */
bool smtpd__limits_are_set(const struct smtpd_shaping_limits *limits);

#endif
