/* SPDX-License-Identifier: MIT */
#include "queue/schedule/site.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"

static struct smtpd_site *
new_site(const char *name, size_t len)
{
	struct smtpd_site *site = calloc(1, sizeof(*site) + len + 1);

	if (site == NULL)
		return NULL;
	memcpy(site->name, name, len);
	site->named.name = site->name;
	smtpd__ring_init(&site->turn);
	smtpd__ring_init(&site->fresh_turn);
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++)
		smtpd__ring_init(&site->ready[kind]);
	return site;
}

/* There is always room in the heap to close any site. */
struct smtpd_site *
smtpd__site_create(
    struct smtpd_schedule *s, struct smtpd_destination *owner, const char *name)
{
	struct smtpd_site *site;

	if (smtpd__heap_fit(&s->closed, s->nsites + 1) == -1)
		return NULL;
	site = owner != NULL ? new_site("", 0) : new_site(name, strlen(name));
	if (site == NULL)
		return NULL;
	site->limit = s->start_limit;
	site->owner = owner;
	if (owner != NULL)
		site->named.name = owner->name;
	else
		smtpd__name_table_add(&s->sites, &site->named);
	s->nsites++;
	return site;
}

bool
smtpd__site_has_ready(const struct smtpd_site *site, enum smtpd_job_kind kind)
{
	return !smtpd__ring_is_empty(&site->ready[kind]);
}

static bool
has_room(const struct smtpd_site *site)
{
	return !site->closed && site->connections < site->limit;
}

static void
place(struct smtpd_ring *list, struct smtpd_ring *link, bool wanted)
{
	if (wanted != smtpd__ring_is_empty(link))
		return;
	if (wanted)
		smtpd__ring_append(list, link);
	else
		smtpd__ring_remove(link);
}

void
smtpd__site_settle(struct smtpd_schedule *s, struct smtpd_site *site)
{
	bool fresh = smtpd__site_has_ready(site, SMTPD_KIND_FRESH);
	bool retry = smtpd__site_has_ready(site, SMTPD_KIND_RETRY);
	bool room = has_room(site);

	place(&s->turn, &site->turn, room && (fresh || retry));
	place(&s->fresh_turn, &site->fresh_turn, room && fresh);
}

void
smtpd__site_served(struct smtpd_schedule *s, struct smtpd_site *site)
{
	smtpd__ring_remove(&site->turn);
	smtpd__ring_remove(&site->fresh_turn);
	smtpd__site_settle(s, site);
}

static void
free_site(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (site->closed)
		smtpd__heap_remove(&s->closed, &site->opening);
	if (site->owner == NULL)
		smtpd__name_table_remove(&s->sites, &site->named);
	s->nsites--;
	free(site->why);
	free(site);
}

/* A destination's own site is kept closed only while its mail goes there. */
static void
tidy_own(struct smtpd_schedule *s, struct smtpd_site *site)
{
	struct smtpd_destination *owner = site->owner;
	bool current = owner->site == site;

	if (current && (owner->refs > 0 || site->closed))
		return;
	owner->own = NULL;
	free_site(s, site);
	if (owner->refs > 0)
		return;
	smtpd__name_table_remove(&s->destinations, &owner->named);
	free(owner);
}

void
smtpd__site_tidy(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (site->connections > 0)
		return;
	if (site->owner != NULL)
		tidy_own(s, site);
	else if (site->users == 0 && !site->closed)
		free_site(s, site);
}

bool
smtpd__site_enter(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (!has_room(site))
		return false;
	site->connections++;
	site->probing = true;
	smtpd__site_settle(s, site);
	return true;
}

void
smtpd__site_leave(struct smtpd_schedule *s, struct smtpd_site *site)
{
	site->connections--;
	smtpd__site_settle(s, site);
	smtpd__site_tidy(s, site);
}

void
smtpd__site_open(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (!site->closed)
		return;
	smtpd__heap_remove(&s->closed, &site->opening);
	site->opening.when = 0;
	site->closed = false;
	smtpd__site_settle(s, site);
}

static struct smtpd_site *
first_closed(const struct smtpd_schedule *s)
{
	struct smtpd_heap_node *top = smtpd__heap_top(&s->closed);

	if (top == NULL)
		return NULL;
	return SMTPD_CONTAINER_OF(top, struct smtpd_site, opening);
}

void
smtpd__site_open_due(struct smtpd_schedule *s, uint32_t now)
{
	struct smtpd_site *site;

	while ((site = first_closed(s)) != NULL && site->opening.when <= now) {
		smtpd__site_open(s, site);
		smtpd__site_tidy(s, site);
	}
}
