/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "queue/schedule/ready.h"
#include "queue/schedule/site.h"

static struct smtpd_destination *
create(struct smtpd_schedule *s, const char *domain)
{
	size_t len = strlen(domain);
	struct smtpd_destination *d = calloc(1, sizeof(*d) + len + 1);

	if (d == NULL)
		return NULL;
	memcpy(d->name, domain, len);
	d->named.name = d->name;
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++)
		smtpd__ring_init(&d->turn[kind]);
	d->own = smtpd__site_create(s, d, NULL);
	if (d->own == NULL) {
		free(d);
		return NULL;
	}
	d->site = d->own;
	smtpd__name_table_add(&s->destinations, &d->named);
	return d;
}

struct smtpd_destination *
smtpd__schedule_destination(struct smtpd_schedule *s, const char *domain)
{
	struct smtpd_named *named =
	    smtpd__name_table_find(&s->destinations, domain);
	struct smtpd_destination *d;

	if (named != NULL)
		d = SMTPD_CONTAINER_OF(named, struct smtpd_destination, named);
	else
		d = create(s, domain);
	if (d != NULL)
		d->refs++;
	return d;
}

/* Have the mail of D, whose ready jobs move too, go to SITE. */
static void
move(struct smtpd_schedule *s, struct smtpd_destination *d,
    struct smtpd_site *site)
{
	struct smtpd_site *old = d->site;

	if (old == site)
		return;
	if (site->owner == NULL)
		site->users++;
	if (old->owner == NULL)
		old->users--;
	smtpd__ready_move(s, d, site);
	smtpd__site_tidy(s, old);
}

void
smtpd__schedule_release(struct smtpd_schedule *s, struct smtpd_destination *d)
{
	struct smtpd_site *site = d->site;

	if (--d->refs > 0)
		return;
	if (d->own != NULL) {
		move(s, d, d->own);
		smtpd__site_tidy(s, d->own);
		return;
	}
	site->users--;
	smtpd__name_table_remove(&s->destinations, &d->named);
	free(d);
	smtpd__site_tidy(s, site);
}

const char *
smtpd__destination_name(const struct smtpd_destination *d)
{
	return d->name;
}

struct smtpd_site *
smtpd__schedule_site(const struct smtpd_destination *d)
{
	return d->site;
}

void
smtpd__destination_site_info(
    const struct smtpd_destination *d, struct smtpd_site_info *out)
{
	const struct smtpd_site *site = d->site;

	*out = (struct smtpd_site_info){
		.name = site->named.name,
		.connections = site->connections,
		.limit = site->limit,
		.failures = site->failures,
		.resumes_at = site->opening.when,
		.why = site->why,
	};
}

/* The site called NAME, or when that is NULL the one that is D's alone, made if
 * it is not there.  NULL without memory. */
static struct smtpd_site *
find_site(
    struct smtpd_schedule *s, struct smtpd_destination *d, const char *name)
{
	struct smtpd_named *named;

	if (name == NULL) {
		if (d->own == NULL)
			d->own = smtpd__site_create(s, d, NULL);
		return d->own;
	}
	named = smtpd__name_table_find(&s->sites, name);
	if (named == NULL)
		return smtpd__site_create(s, NULL, name);
	return SMTPD_CONTAINER_OF(named, struct smtpd_site, named);
}

/* Whether a connection of OLD may be one of SITE, and is it now. */
static bool
change_site(
    struct smtpd_schedule *s, struct smtpd_site *old, struct smtpd_site *site)
{
	if (site == old)
		return !site->closed;
	if (!smtpd__site_enter(s, site))
		return false;
	smtpd__site_leave(s, old);
	return true;
}

bool
smtpd__schedule_bind(struct smtpd_schedule *s, struct smtpd_destination *d,
    const char *name, uint32_t now, struct smtpd_site **site)
{
	struct smtpd_site *to;

	smtpd__site_open_due(s, now);
	to = find_site(s, d, name);
	if (to != NULL)
		move(s, d, to);
	if (to != NULL && change_site(s, *site, to)) {
		*site = to;
		return true;
	}
	smtpd__schedule_leave(s, *site, now);
	*site = NULL;
	return false;
}
