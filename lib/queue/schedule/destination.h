/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SCHEDULE_DESTINATION_H
#define SMTPD_QUEUE_SCHEDULE_DESTINATION_H

/*
 * The domains that there is mail for, one for each route that its mail has,
 * counted by references, and the site that each belongs to.  Under the
 * schedule's lock.
 */

#include <smtpd/client.h>

#include <stdbool.h>
#include <stdint.h>

#include "queue/schedule/shaping.h"

struct smtpd_destination;
struct smtpd_schedule;
struct smtpd_site;

/* Return the destination DOMAIN, in lower case, with one reference more; NULL
 * without memory. */
struct smtpd_destination *smtpd__destination_ref(
    struct smtpd_schedule *s, const char *domain);

/* The same for mail to DOMAIN that has the route with the key ROUTE; "": none.
 * What holds up one does not hold up another. */
struct smtpd_destination *smtpd__destination_ref_route(
    struct smtpd_schedule *s, const char *domain, const char *route);

/* Drop a reference.  A destination that nobody refers to is forgotten, and so
 * is its site, though not while that is suspended. */
void smtpd__destination_unref(
    struct smtpd_schedule *s, struct smtpd_destination *d);

/* Its domain.  Any thread that has a reference may read it without the lock. */
const char *smtpd__destination_name(const struct smtpd_destination *d);

/* The site it belongs to at present. */
struct smtpd_site *smtpd__destination_site(const struct smtpd_destination *d);

/*
 * Bind D to the site called NAME: D and all its jobs belong there from now on,
 * and the caller's connection of *SITE becomes one of it.  NULL: bind it to a
 * site of its own, as before it was ever bound; so trouble in looking up one
 * domain does not suspend what it shares with others.
 *
 * Return false when that site is suspended or has no room, or without memory;
 * then *SITE is left and NULL, and the job is to be put back.
 */
bool smtpd__destination_bind(struct smtpd_schedule *s,
    struct smtpd_destination *d, const char *name, uint32_t now,
    struct smtpd_site **site);

/* What is known of the site of D. */
struct smtpd_site_info {
	const char *name;
	uint32_t connections;
	uint32_t limit;                 /* of connections, at present */
	uint32_t failures;              /* in a row */
	uint32_t resumes_at;            /* a time gone by: not suspended */
	const struct smtpd_result *why; /* it was suspended; NULL */
	struct smtpd_shaping_info shaping;
};
void smtpd__destination_site_info(
    const struct smtpd_destination *d, struct smtpd_site_info *out);

/* Set up to MAX of OUT to sites that are shared, from *PLACE on, and *PLACE to
 * where to go on: it begins as 0, and ends as UINT32_MAX.  Return how many are
 * set. */
size_t smtpd__destination_list_sites(const struct smtpd_schedule *s,
    uint32_t *place, struct smtpd_site_info *out, size_t max);

#endif
