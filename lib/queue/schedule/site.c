/* SPDX-License-Identifier: MIT */
#include "queue/schedule/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "queue/schedule/retry.h"
#include "queue/schedule/shaping.h"
#include "queue/schedule/turn.h"

/* There is always room in the heaps for any site. */
struct smtpd_site *
smtpd__site_create(
    struct smtpd_schedule *s, struct smtpd_destination *owner, const char *name)
{
	size_t len = owner != NULL ? 0 : strlen(name);
	struct smtpd_site *site;

	if (smtpd__heap_fit(&s->suspended, s->nsites + 1) == -1 ||
	    smtpd__heap_fit(&s->shaped, s->nsites + 1) == -1)
		return NULL;
	site = calloc(1, sizeof(*site) + len + 1);
	if (site == NULL)
		return NULL;
	smtpd__ring_init(&site->turn);
	smtpd__ring_init(&site->fresh_turn);
	for (int kind = 0; kind < SMTPD_KIND_COUNT; kind++)
		smtpd__ring_init(&site->ready[kind]);
	site->limit = s->start_limit;
	site->owner = owner;
	if (owner != NULL) {
		site->named.name = owner->name;
	} else {
		memcpy(site->name, name, len);
		site->named.name = site->name;
		smtpd__name_table_add(&s->sites, &site->named);
	}
	site->known = smtpd__turn_was_known(s, site);
	s->nsites++;
	return site;
}

/* A destination's own site is kept suspended only while its mail goes there; a
 * shared one also as long as its limits are to be remembered. */
void
smtpd__site_tidy(struct smtpd_schedule *s, struct smtpd_site *site)
{
	struct smtpd_destination *owner = site->owner;
	bool needed = site->connections > 0;

	if (owner == NULL)
		needed = needed || site->users > 0 || site->suspended ||
		    smtpd__shaping_remembers(site);
	else if (owner->site == site)
		needed = needed || owner->refs > 0 || site->suspended;
	if (needed)
		return;
	if (site->suspended)
		smtpd__heap_remove(&s->suspended, &site->resuming);
	smtpd__turn_remember(s, site);
	smtpd__shaping_finish(s, site);
	if (owner == NULL)
		smtpd__name_table_remove(&s->sites, &site->named);
	s->nsites--;
	s->ntrouble -= site->trouble;
	free(site->why);
	free(site);
	if (owner == NULL)
		return;
	owner->own = NULL;
	if (owner->refs > 0)
		return;
	smtpd__name_table_remove(&s->destinations, &owner->named);
	free(owner);
}

bool
smtpd__site_enter(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now)
{
	if (!smtpd__state_has_room(site))
		return false;
	site->connections++;
	s->strangers += !site->known;
	site->probing = true;
	smtpd__turn_set_asked(site);
	smtpd__turn_place(s, site);
	smtpd__shaping_use_message(s, site, now);
	smtpd__shaping_use_connection(s, site, now);
	return true;
}

void
smtpd__site_leave(struct smtpd_schedule *s, struct smtpd_site *site)
{
	site->connections--;
	s->strangers -= !site->known;
	smtpd__turn_place(s, site);
	smtpd__site_tidy(s, site);
}

void
smtpd__site_resume(struct smtpd_schedule *s, struct smtpd_site *site)
{
	if (!site->suspended)
		return;
	smtpd__heap_remove(&s->suspended, &site->resuming);
	site->resuming.when = 0;
	site->suspended = false;
	smtpd__turn_place(s, site);
}

void
smtpd__site_hasten(
    struct smtpd_schedule *s, struct smtpd_site *site, uint32_t now)
{
	uint32_t probe =
	    smtpd__retry_after(site->suspended_at, s->settings.retry.min);

	if (!site->suspended || site->resuming.when <= probe)
		return;
	if (probe <= now) {
		smtpd__site_resume(s, site);
		return;
	}
	smtpd__heap_remove(&s->suspended, &site->resuming);
	smtpd__heap_push(&s->suspended, &site->resuming, probe);
}

/* The first node of H that is due at NOW; NULL: none. */
static struct smtpd_heap_node *
due_node(const struct smtpd_heap *h, uint32_t now)
{
	struct smtpd_heap_node *top = smtpd__heap_top(h);

	return top != NULL && top->when <= now ? top : NULL;
}

void
smtpd__site_resume_due(struct smtpd_schedule *s, uint32_t now)
{
	struct smtpd_heap_node *top;
	struct smtpd_site *site;

	while ((top = due_node(&s->suspended, now)) != NULL) {
		site = SMTPD_CONTAINER_OF(top, struct smtpd_site, resuming);
		smtpd__site_resume(s, site);
		smtpd__site_tidy(s, site);
	}
	while ((top = due_node(&s->shaped, now)) != NULL) {
		site = SMTPD_CONTAINER_OF(top, struct smtpd_shaping, looking)
			   ->site;
		smtpd__shaping_refresh(s, site, now);
		smtpd__site_tidy(s, site);
	}
}
