/* SPDX-License-Identifier: MIT */
#include "queue/schedule/destination.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/text.h"
#include "queue/schedule/schedule.h"
#include "queue/schedule/site.h"
#include "queue/schedule/turn.h"

/* A key that is longer is cut off: what it is for shares what holds it up. */
#define KEY_SIZE 1024

struct smtpd_destination *
smtpd__destination_ref(struct smtpd_schedule *s, const char *domain)
{
	return smtpd__destination_ref_route(s, domain, "");
}

struct smtpd_destination *
smtpd__destination_ref_route(
    struct smtpd_schedule *s, const char *domain, const char *route)
{
	char key[KEY_SIZE];
	struct smtpd_text t;
	struct smtpd_named *named;
	struct smtpd_destination *d;

	smtpd__text_init(&t, key, sizeof(key));
	smtpd__text_format(
	    &t, *route != '\0' ? "%s (%s)" : "%s", domain, route);
	named = smtpd__name_table_find(&s->destinations, key);
	if (named != NULL) {
		d = SMTPD_CONTAINER_OF(named, struct smtpd_destination, named);
		d->refs++;
		return d;
	}
	d = calloc(1, sizeof(*d) + t.len + 1 + strlen(domain) + 1);
	if (d == NULL)
		return NULL;
	memcpy(d->name, key, t.len);
	d->named.name = d->name;
	d->domain = d->name + t.len + 1;
	memcpy(d->domain, domain, strlen(domain));
	d->refs = 1;
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++)
		smtpd__ring_init(&d->turn[kind]);
	d->site = d->own = smtpd__site_create(s, d, NULL);
	if (d->own == NULL) {
		free(d);
		return NULL;
	}
	smtpd__name_table_add(&s->destinations, &d->named);
	return d;
}

/* Have the mail of D, its ready jobs included, go to SITE. */
static void
move_destination(struct smtpd_schedule *s, struct smtpd_destination *d,
    struct smtpd_site *site)
{
	struct smtpd_site *old = d->site;

	if (old == site)
		return;
	if (site->owner == NULL)
		site->users++;
	if (old->owner == NULL)
		old->users--;
	d->site = site;
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++) {
		smtpd__ring_remove(&d->turn[kind]);
		if (d->ready[kind].first != NULL)
			smtpd__ring_append(&site->ready[kind], &d->turn[kind]);
	}
	smtpd__turn_place(s, old);
	smtpd__turn_place(s, site);
	smtpd__site_tidy(s, old);
}

void
smtpd__destination_unref(struct smtpd_schedule *s, struct smtpd_destination *d)
{
	struct smtpd_site *site = d->site;

	if (--d->refs > 0)
		return;
	if (d->own != NULL) {
		move_destination(s, d, d->own);
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
	return d->domain;
}

struct smtpd_site *
smtpd__destination_site(const struct smtpd_destination *d)
{
	return d->site;
}

static void
describe_site(const struct smtpd_site *site, struct smtpd_site_info *out)
{
	*out = (struct smtpd_site_info){
		.name = site->named.name,
		.connections = site->connections,
		.limit = site->limit,
		.failures = site->failures,
		.resumes_at = site->resuming.when,
		.why = site->why,
	};
	smtpd__shaping_describe(site, &out->shaping);
}

void
smtpd__destination_site_info(
    const struct smtpd_destination *d, struct smtpd_site_info *out)
{
	describe_site(d->site, out);
}

/* Rows of the table are given whole, unless one alone is too many. */
size_t
smtpd__destination_list_sites(const struct smtpd_schedule *s, uint32_t *place,
    struct smtpd_site_info *out, size_t max)
{
	const struct smtpd_name_table *t = &s->sites;
	size_t n = 0;

	for (; *place < t->size; ++*place) {
		struct smtpd_named *first = t->buckets[*place];
		size_t length = 0;

		for (const struct smtpd_named *x = first; x != NULL;
		    x = x->next)
			length++;
		if (n > 0 && n + length > max)
			return n;
		for (; first != NULL && n < max; first = first->next)
			describe_site(
			    SMTPD_CONTAINER_OF(first, struct smtpd_site, named),
			    &out[n++]);
	}
	*place = UINT32_MAX;
	return n;
}

bool
smtpd__destination_bind(struct smtpd_schedule *s, struct smtpd_destination *d,
    const char *name, uint32_t now, struct smtpd_site **site)
{
	struct smtpd_site *old = *site;
	struct smtpd_site *to;
	struct smtpd_named *named;

	smtpd__site_resume_due(s, now);
	if (name == NULL) {
		if (d->own == NULL)
			d->own = smtpd__site_create(s, d, NULL);
		to = d->own;
	} else {
		named = smtpd__name_table_find(&s->sites, name);
		to = named != NULL
		    ? SMTPD_CONTAINER_OF(named, struct smtpd_site, named)
		    : smtpd__site_create(s, NULL, name);
	}
	if (to != NULL) {
		move_destination(s, d, to);
		/* Its look-up need not wait behind those of strangers. */
		if (to->known && d->own != NULL)
			smtpd__turn_set_known(s, d->own, true);
		if (to == old && !old->suspended)
			return true;
		if (to != old && smtpd__site_enter(s, to, now)) {
			smtpd__site_leave(s, old);
			*site = to;
			return true;
		}
	}
	smtpd__schedule_leave(s, old, now);
	*site = NULL;
	return false;
}
